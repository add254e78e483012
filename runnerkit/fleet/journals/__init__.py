"""What managers, jobs and the kit itself have written down."""
