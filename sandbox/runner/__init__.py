"""A stand-in for gitlab-runner, where the real image cannot be had; see README.md."""
