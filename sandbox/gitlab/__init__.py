"""A miniature GitLab for runners and their administrators; see README.md."""
