"""Every mistake of a settings file in one go: msgspec alone stops at the first."""

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from runnerkit.errors import nearest
from runnerkit.settings.secrets import NEVER, Source


def mistakes(data: object, kind: Any, path: str = "") -> Iterator[str]:
    """Say what in `data` does not fit the msgspec type `kind`, a line each, with its path."""
    struct = _struct(kind)
    if struct is not None and isinstance(data, dict):
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        yield from _keys(data, fields, path)
        inner = [(key, data[key], fields[key].type) for key in data if key in fields]
    elif get_origin(kind) is dict and isinstance(data, dict) and _struct(get_args(kind)[1]):
        inner = [(key, value, get_args(kind)[1]) for key, value in data.items()]
    else:
        yield from _leaf(data, kind, path)
        return
    found = False
    for key, value, inner_kind in inner:
        for mistake in mistakes(value, inner_kind, f"{path}.{key}" if path else key):
            found = True
            yield mistake
    if struct is not None and not found and not set(data) - set(fields):
        yield from _leaf(data, kind, path)  # what only the whole can tell: __post_init__


def _keys(data: dict[str, Any], fields: dict[str, Any], path: str) -> Iterator[str]:
    dot = f"{path}." if path else ""
    for key in data:
        if key not in fields:
            yield f"{dot}{key}: unknown key{nearest(key, fields)}"
    for key, field in fields.items():
        if field.required and key not in data:
            yield f"{dot}{key}: missing"


def _leaf(data: object, kind: Any, path: str) -> Iterator[str]:
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        options = [str(one) for one in get_args(kind)]
        if "matching regex '^(https?" in text or "matching regex '^https?" in text:
            text = f"{data!r} is not a URL: it must begin with http:// or https://"
        elif "matching regex" in text:
            text = f"{data!r} is not allowed: {text[0].lower()}{text[1:]}"
        elif "Invalid enum value" in text and get_origin(kind) is Literal:
            near = nearest(str(data), options)
            text = f"{data!r} is none of {', '.join(filter(None, options))}{near}"
        elif isinstance(data, str) and Source in get_args(kind):
            text = NEVER
        if "required field" not in text:
            yield f"{path}: {text}"


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    """The one Struct that `kind` is, or is besides None."""
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    structs = [o for o in options if isinstance(o, type) and issubclass(o, msgspec.Struct)]
    return structs[0] if len(structs) == 1 else None
