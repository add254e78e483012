"""What a job image is: its definition, its build context, what it is built on. Touches no host."""
