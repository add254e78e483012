"""runnerkit: turn any Linux machine into a GitLab CI runner host, and keep it one."""

__version__ = "0.2.0"
