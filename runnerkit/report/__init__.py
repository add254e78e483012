"""What people and programs read. Formats only: what it shows is computed elsewhere."""
