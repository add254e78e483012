"""Bundles: made, looked at, and given to hosts."""
