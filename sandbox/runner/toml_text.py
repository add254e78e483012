"""Plain data to TOML text, laid out like the Go encoder that gitlab-runner uses."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def encode(data: Mapping[str, Any]) -> str:
    return "\n".join(_table(data, ())).lstrip("\n") + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    indent = "  " * len(path)
    for key, value in table.items():
        if not _is_table(value):
            yield f"{indent}{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if not _is_table(value):
            continue
        here = (*path, key)
        name = ".".join(map(_key, here))
        if isinstance(value, list):
            for item in value:
                yield ""
                yield f"{indent}[[{name}]]"
                yield from _table(item, here)
        else:
            if not path:
                yield ""
            yield f"{indent}[{name}]"
            yield from _table(value, here)


def _is_table(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
