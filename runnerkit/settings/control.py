"""No control character where none belongs: names, addresses and the like go into scripts and onto terminals."""

import unicodedata
from collections.abc import Iterator
from typing import Any

# What goes through as data, quoted or escaped wherever it stands; * is any name.
FREE = (
    ("docker", "daemon"),
    ("manager", "settings"),
    ("images", "*", "labels"),
    ("images", "*", "build_args"),
    ("runners", "*", "docker"),
    ("runners", "*", "settings"),
    ("runners", "*", "autoscaler"),
)
KINDS = {"Cc", "Cs", "Zl", "Zp"}  # control, half a letter, line and paragraph separators


def mistakes(data: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Where one stands, a line each; it is shown by its number."""
    if any(len(path) == len(free) and _fits(path, free) for free in FREE):
        return
    if isinstance(data, str):
        if found := _control(data):
            yield f"{'.'.join(path)}: has the control character {found}: take it out"
    elif isinstance(data, dict):
        for key, value in data.items():
            if found := _control(key):
                shown = ".".join((*path, ascii(key)))
                yield f"{shown}: has the control character {found}: take it out"
            elif key != "command":  # of a secret's source, which may be a script
                yield from mistakes(value, (*path, key))
    elif isinstance(data, list | tuple):
        for one in data:
            yield from mistakes(one, path)


def _fits(path: tuple[str, ...], free: tuple[str, ...]) -> bool:
    return all(right in ("*", left) for left, right in zip(path, free, strict=True))


def _control(text: Any) -> str:
    return next((f"U+{ord(one):04X}" for one in text if unicodedata.category(one) in KINDS), "")
