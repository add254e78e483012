"""What TOML can say, and the file on the host that it goes into cannot."""

import math
from collections.abc import Iterator
from datetime import date, time
from typing import Annotated

from msgspec import Meta

# Of a container: Docker reads its variables a line each.
Variable = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][\w.-]*\Z", description="the name of a variable")
]
Line = Annotated[str, Meta(pattern=r"^[^\n\r\0]*\Z", description="a text of one line")]


def mistakes(value: object, path: str, json: bool = False) -> Iterator[str]:
    """Such values, a line each.

    Args:
        value: of a key whose name and value go through to a file.
        path: the key.
        json: whether the file is JSON, and not TOML.
    """
    if isinstance(value, dict):
        for key, one in value.items():
            yield from mistakes(one, f"{path}.{key}", json)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from mistakes(one, f"{path}[{number}]", json)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{path}: {value} is no number that the program which reads it takes"
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        yield f"{path}: {value} is too large a number"
    elif isinstance(value, date | time) and json:
        yield f"{path}: JSON has no dates: write it as a text, in quotes"
