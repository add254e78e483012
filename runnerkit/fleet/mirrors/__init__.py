"""What stands between hosts and Docker Hub."""
