"""Many hosts side by side, one family of verbs a file. Prints nothing."""
