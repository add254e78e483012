"""The steps of the recipe, one noun a file: what each must know, and what it would change.

Every step is pure: ``needs(want)`` and ``changes(want, have)``. None of them reaches a host.
"""
