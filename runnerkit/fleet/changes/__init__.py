"""Managers drained, paused and upgraded, and Docker under them, on many hosts."""
