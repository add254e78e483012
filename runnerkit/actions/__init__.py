"""What is done once, when asked for: one verb a file. Pure, as the steps are."""
