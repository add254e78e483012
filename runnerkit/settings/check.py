"""Every mistake of a settings file in one go: msgspec alone stops at the first."""

import math
import types
from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Any, Literal, Union, get_args, get_origin

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
    elif get_origin(_bare(kind)) is dict and isinstance(data, dict):
        keys, values = get_args(_bare(kind))
        if values is Any:
            yield from _unwritable(data, path, _form(kind))
            return
        for key in data:
            yield from _leaf(key, keys, f"{path}.{key}")
        inner = [(key, value, values) for key, value in data.items()]
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


def _unwritable(data: object, path: str, form: str) -> Iterator[str]:
    """What TOML can say and the file that it goes into cannot, or not every program that reads it."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _unwritable(value, f"{path}.{key}", form)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _unwritable(value, f"{path}[{number}]", form)
    elif isinstance(data, float) and not math.isfinite(data):
        yield f"{path}: {data} is no number that a {form} file can hold for another program"
    elif isinstance(data, int) and not -(1 << 63) <= data < 1 << 63:
        yield f"{path}: {data} is too large a number"
    elif isinstance(data, date | time) and form == "JSON":
        yield f"{path}: JSON has no dates: write it as a text, in quotes"


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
        elif "matching regex" in text and (description := _described(kind)):
            text = f"{data!r} is not {description}"
        elif "matching regex" in text:
            text = f"{data!r} is not allowed: {text[0].lower()}{text[1:]}"
        elif "Invalid enum value" in text and get_origin(kind) is Literal:
            near = nearest(str(data), options)
            text = f"{data!r} is none of {', '.join(filter(None, options))}{near}"
        elif isinstance(data, str) and Source in get_args(kind):
            text = NEVER
        if "required field" not in text:
            yield f"{path}: {text}"


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _form(kind: Any) -> str:
    """The form of the file that a free table goes into."""
    extra = [one.extra or {} for one in get_args(kind) if isinstance(one, msgspec.Meta)]
    return extra[0].get("form", "TOML") if extra else "TOML"


def _described(kind: Any) -> str:
    metas = [one for one in get_args(kind) if isinstance(one, msgspec.Meta)]
    return next((one.description for one in metas if one.description), "")


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    """The one Struct that `kind` is, or is besides None."""
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    structs = [o for o in options if isinstance(o, type) and issubclass(o, msgspec.Struct)]
    return structs[0] if len(structs) == 1 else None
