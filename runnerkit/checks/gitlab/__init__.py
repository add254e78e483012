"""What GitLab says of the host's runners."""
