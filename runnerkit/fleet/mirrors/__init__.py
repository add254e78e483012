"""What stands between hosts and Docker Hub: mirrors, and a cache of the site's own."""
