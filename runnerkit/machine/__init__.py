"""A host reached, local or over SSH: scripts, pipes, tunnels and locks. Knows no Docker."""
