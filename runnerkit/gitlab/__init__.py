"""GitLab's side of the runners, by its API."""
