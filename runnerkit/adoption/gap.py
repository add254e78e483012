"""What settings cannot say of a host."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Something that stays as it is on the host (on all, where none is named), and what to do about it."""

    what: str
    fix: str = ""
    host: str = ""
