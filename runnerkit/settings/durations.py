"""Times as people write them, 90, "90s", "1h 30m", "2 weeks", as whole numbers of a key's unit."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from msgspec import Meta

_UNITS = {
    "s": (1, "s|secs?|seconds?"),
    "m": (60, "m|mins?|minutes?"),
    "h": (3600, "h|hrs?|hours?"),
    "d": (86400, "d|days?"),
    "w": (604800, "w|weeks?"),
}
_PART = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?)\s*(?:"
    + "|".join(f"(?P<{name}>{words})" for name, (_, words) in _UNITS.items())
    + r")(?![a-z])[\s,]*",
    re.IGNORECASE,
)
SECONDS, DAYS = "seconds", "days"
EXAMPLES = {SECONDS: "1h 30m", DAYS: "2 weeks"}
_LENGTH = {SECONDS: 1, DAYS: 86400}


def of(unit: str, least: int) -> Meta:
    """The bounds of a key that is a time: at least so many of that unit."""
    return Meta(ge=least, extra={"unit": unit})


def unit(meta: Meta) -> str:
    """The unit that bounds name; "" where they name none."""
    return str((meta.extra or {}).get("unit", ""))


def read(data: dict[str, Any], kinds: Mapping[str, Any]) -> None:
    """Make numbers of the times that are written as text; what is none stays."""
    for key, kind in kinds.items():
        text, named = data.get(key), _unit_of(kind)
        number = parsed(text, named) if named and isinstance(text, str) else None
        if number is not None:
            data[key] = number


def parsed(text: str, unit: str) -> int | None:
    """The number of whole units; None where the text is no time, or not whole."""
    text = text.strip()
    if re.fullmatch(r"\d{1,18}", text):
        return int(text)
    seconds, at = 0.0, 0
    while at < len(text):
        if not (part := _PART.match(text, at)):
            return None
        length = next(size for name, (size, _) in _UNITS.items() if part[name])
        seconds, at = seconds + float(part[1]) * length, part.end()
    number = seconds / _LENGTH[unit]
    return int(number) if text and number == int(number) else None


def spoken(seconds: float) -> str:
    """How long that is, as people say it."""
    for length, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {word}"
    return f"{max(0, seconds):.0f} s"


def _unit_of(kind: Any) -> str:
    """The unit of a type, or of one that it may be."""
    if get_origin(kind) is Annotated:
        return next((unit(one) for one in get_args(kind)[1:] if isinstance(one, Meta)), "")
    return next((named for one in get_args(kind) if (named := _unit_of(one))), "")
