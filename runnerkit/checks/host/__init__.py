"""How the machine itself is, whatever runs on it."""
