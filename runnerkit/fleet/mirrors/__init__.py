"""Mirrors of Docker Hub: which of them serve what a host needs."""
