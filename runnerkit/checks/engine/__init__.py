"""Docker on the host."""
