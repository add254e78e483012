"""Plain data to TOML text, laid out like the Go encoder that gitlab-runner uses."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime


def encode(data: Mapping[str, object]) -> str:
    return "\n".join(_table(data, ())).lstrip("\n") + "\n"


def _table(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    indent = "  " * len(path)
    for key, value in table.items():
        if not _is_table(value):
            yield f"{indent}{_key(key)} = {_value(value)}"
    for key, value in table.items():
        here = (*path, key)
        name = ".".join(map(_key, here))
        if isinstance(value, Mapping):
            if not path:
                yield ""
            yield f"{indent}[{name}]"
            yield from _table(value, here)
        elif isinstance(value, list) and _is_table(value):
            for item in value:
                yield ""
                yield f"{indent}[[{name}]]"
                yield from _table(item, here)


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
