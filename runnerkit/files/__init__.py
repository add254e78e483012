"""Files of the host that others write too: read, laid over, written whole or not at all. Pure."""
