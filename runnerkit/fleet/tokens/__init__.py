"""Runners' tokens renewed, each on all of its hosts."""
