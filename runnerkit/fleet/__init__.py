"""Many hosts side by side, a family of verbs a room. Prints nothing."""
