"""What is wanted, as typed data: the settings file, what was typed, where secrets are kept."""
