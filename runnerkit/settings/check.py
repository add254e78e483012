"""Every mistake of a settings file in one go: msgspec alone stops at the first.

Each is told with its path, what was written, and what may be written there.
"""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from runnerkit.errors import nearest
from runnerkit.redact import mask
from runnerkit.settings import durations
from runnerkit.settings.secrets import NEVER, Source

Path = tuple[str | int, ...]
LARGEST = (1 << 31) - 1  # of what a shell, Docker and every program in between take as a number
TYPES = {str: "a text", int: "a whole number", bool: "true or false", Any: "anything"}


def mistakes(data: object, kind: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Say what in `data` does not fit the msgspec type `kind`: where, and in words.

    Durations that are written as people write them become numbers in it.
    """
    if isinstance(data, list) and get_origin(kind) in (Union, types.UnionType):
        kind = next((one for one in get_args(kind) if get_origin(one) is tuple), kind)
    struct, origin = _struct(kind), get_origin(_bare(kind))
    inner: list[tuple[str | int, Any, Any]] = []
    if struct is not None and isinstance(data, dict) and struct is not Source:
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        yield from _keys(data, fields, path)
        durations.read(data, {key: field.type for key, field in fields.items()})
        inner = [(key, data[key], fields[key].type) for key in data if key in fields]
    elif origin is dict and isinstance(data, dict) and get_args(_bare(kind))[1] is not Any:
        of_key, of_value = get_args(_bare(kind))
        for key in data:
            yield from _leaf(key, of_key, (*path, key))
        inner = [(key, value, of_value) for key, value in data.items()]
    elif origin is tuple and isinstance(data, list):
        inner = [(number, one, get_args(_bare(kind))[0]) for number, one in enumerate(data)]
    else:
        yield from _leaf(data, kind, path)
    for key, value, inner_kind in inner:
        yield from mistakes(value, inner_kind, (*path, key))


def written(path: Path) -> str:
    """A path as the settings have it: hosts.ci1.runners[0]."""
    words = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return words.removeprefix(".")


def words(kind: Any) -> str:
    """What a type allows, in words."""
    origin, options = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bounded(options[0], [each for each in options[1:] if isinstance(each, Meta)])
    if origin is Literal:
        named = [one for one in options if one]
        return f"one of {', '.join(named)}" if named[1:] else f'"{named[0]}"'
    if origin in (Union, types.UnionType):
        return ", or ".join(words(one) for one in options if one is not type(None))
    if origin is tuple:
        return 'a list, like ["a", "b"]'
    if origin is dict:
        return "a table, like { a = … }"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "a table"
    return TYPES.get(kind, "anything")


def _keys(
    data: Mapping[str, Any], fields: Mapping[str, Any], path: Path
) -> Iterator[tuple[Path, str]]:
    for key in data:
        if key not in fields:
            yield (*path, key), f"unknown key{nearest(key, fields)}"
    for key, field in fields.items():
        if field.required and key not in data:
            yield (*path, key), "missing"


def _leaf(data: object, kind: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, int) and data > LARGEST and _takes_number(kind):
        yield path, f"{data} is too large a number: it may be {LARGEST} at most"
        return
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        if _struct(kind) is Source:
            known = isinstance(data, dict) and "exactly one" in str(error)
            yield path, str(error).partition(" - at")[0] if known else NEVER
            return
        text = _shown(data)
        if isinstance(data, str):
            choices = [str(one) for one in _choices(kind)]
            hint = nearest(data, choices) or _in_small_letters(data, kind)
            text = f"{text} is not {words(kind)}{hint}"
        else:
            text = f"{text} is not {words(kind)}"
        yield path, text


def _in_small_letters(data: str, kind: Any) -> str:
    try:
        return f" (did you mean {msgspec.convert(data.lower(), kind)!r}?)"
    except msgspec.ValidationError:
        return ""


def _shown(data: object) -> str:
    if isinstance(data, bool):
        return str(data).lower()
    if isinstance(data, dict):
        return "a table"
    text = mask(repr(data))
    return text if len(text) <= 60 else f"{text[:57]}…"


def _bounded(kind: Any, metas: list[Meta]) -> str:
    text = words(kind)
    for meta in metas:
        text = meta.description or text
        if meta.title and not meta.description:
            text = f"{'an' if meta.title[0] in 'aeio' else 'a'} {meta.title}"
        if meta.title == "URL":
            text += ": it must begin with http:// or https://"
        if unit := durations.unit(meta):
            example = durations.EXAMPLES[unit]
            text = f'a time: a number of {unit}, at least {meta.ge}, or for example "{example}"'
        elif meta.ge is not None and meta.le is not None:
            text += f" from {meta.ge} to {meta.le}"
        elif meta.ge is not None:
            text += f" of at least {meta.ge}"
        if meta.min_length:
            text += " that is not empty"
        if meta.pattern and not (meta.title or meta.description):
            text += f" that fits {meta.pattern}"
    return text


def _bare(kind: Any) -> Any:
    """The type without None and bounds."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        several = [one for one in get_args(kind) if one is not type(None)]
        return _bare(several[0]) if len(several) == 1 else kind
    return kind


def _choices(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Literal:
        yield from (one for one in get_args(kind) if one)
    else:
        for one in get_args(kind):
            yield from _choices(one)


def _takes_number(kind: Any) -> bool:
    return kind is int or any(map(_takes_number, get_args(kind)))


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    """The one Struct that `kind` is, or is besides None."""
    bare = _bare(kind)
    return bare if isinstance(bare, type) and issubclass(bare, msgspec.Struct) else None
