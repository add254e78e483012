"""What the host reaches, and how."""
