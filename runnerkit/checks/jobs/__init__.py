"""What jobs find on the host, and what they can do to it."""
