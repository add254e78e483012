"""docs/en/settings.md, from the types: a key cannot be without a description, nor lag behind."""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from runnerkit.settings import durations
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Source

HEAD = """# Settings

<!-- Made by `nox -s docs` from runnerkit/settings/. Change it there. -->

Every key of `runnerkit.toml`. None is needed for a first run: see the [tutorial](tutorial.md). The
file is the `runnerkit.toml` of the working folder, without one that of the clone, or the one that
`RUNNERKIT_SETTINGS` names; `./inv init` writes one with comments. Unknown keys, wrong types and names that name nothing are all
told in one go, before any host is touched.

A **secret** is never written into the file, only where it is kept: `{ env = "NAME" }` (a variable of
the environment), `{ file = "PATH" }`, or `{ command = ["pass", "show", "ci/gitlab"] }` (what it
prints). So it is with every key that is named like a secret (`SecretKey`, `DB_PASSWORD`) of the tables
that go through to config.toml and daemon.json. The empty default of a key is shown as –.
"""
PLAIN = {str: "text", int: "number", bool: "`true` or `false`", Any: "anything", Source: "secret"}
SEVERAL = {"text": "texts", "number": "numbers", "URL": "URLs", "secret": "secrets"}


def page() -> str:
    """The whole page, as it is kept in docs/en/settings.md."""
    return "\n".join([HEAD, *_sections(Settings)]).rstrip() + "\n"


def described(section: type[msgspec.Struct]) -> dict[str, str]:
    """What stands below each key of a section in its source, "" where nothing does."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {field.name: "" for field in msgspec.structs.fields(section)}
    for line, below in zip(tree.body, tree.body[1:], strict=False):
        match line, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found


def sections(settings: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The sections by their headings: [gitlab], [runners.NAME], …"""
    for field in msgspec.structs.fields(settings):
        if get_origin(field.type) is dict:
            yield f"[{field.name}.NAME]", get_args(field.type)[1]
        else:
            yield f"[{field.name}]", field.type


def words(kind: Any) -> str:
    """A type in words, with what it allows."""
    origin, options = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bounded(options[0], [each for each in options[1:] if isinstance(each, Meta)])
    if origin is Literal:
        named = [f"`{one}`" for one in options if one]
        return f"one of {', '.join(named)}" if named[1:] else named[0]
    if origin in (Union, types.UnionType):
        return ", or ".join(words(one) for one in options if one is not type(None))
    if origin is tuple:
        inner = words(options[0])
        return f"list of {SEVERAL.get(inner, inner.removeprefix('one of '))}"
    if origin is dict:
        inner = words(options[1])
        return "table" if options[1] is Any else f"table of {SEVERAL.get(inner, inner)}"
    return PLAIN.get(kind, "table")


def _sections(settings: type[msgspec.Struct]) -> Iterator[str]:
    for heading, section in sections(settings):
        about = " ".join((inspect.getdoc(section) or "").split())
        yield f"## `{heading}`\n\n{about}\n"
        yield "| key | value | default | what it is |\n|---|---|---|---|"
        descriptions = described(section)
        for field in msgspec.structs.fields(section):
            row = (f"`{field.name}`", words(field.type), _default(field), descriptions[field.name])
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        yield ""


def _bounded(kind: Any, metas: list[Meta]) -> str:
    text = words(kind)
    for meta in metas:
        text = meta.title or text
        if unit := durations.unit(meta):
            text = f'{unit}, at least {meta.ge}, or text: `"{durations.EXAMPLES[unit]}"`'
        elif meta.ge is not None and meta.le is not None:
            text += f", {meta.ge} to {meta.le}"
        elif meta.ge is not None:
            text += f", at least {meta.ge}"
    return text


def _default(field: Any) -> str:
    if field.required:
        return "needed"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or value in ("", (), {}):
        return "–"
    return f"`{msgspec.json.encode(value).decode()}`".replace(",", ", ")
