"""The settings file that is written: sections in the order of the starter, what they do not say below."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runnerkit.adoption.gap import Gap
from runnerkit.adoption.references import Reference, References
from runnerkit.files.config_toml import inline
from runnerkit.place import CLONE, typed
from runnerkit.printable import in_one_line
from runnerkit.redact import mask

HEAD = """\
# Written by ./inv init --host, from what these hosts have. `./inv plan --host all` shows what
# bootstrap would change there. A secret is never in here: beside the name of its variable stands
# where a host has it.
"""
UNSAID = "What this file does not say, and stays on the hosts as it is:"
PENDING = "What bootstrap would change there:"
WITHOUT = "Hosts that are not in this file:"
NESTED = ("runners",)  # sections with a head for each of their tables


def text(
    data: Mapping[str, Any], references: References, notes: Mapping[str, Iterable[Gap]]
) -> str:
    """The file; `notes` stand below, by their headings."""
    blocks = [HEAD if CLONE else typed(HEAD)]
    for name, body in data.items():
        parts: dict[tuple[str, ...], Any] = {(name,): body}
        if name in NESTED:
            parts = {(name, key): one for key, one in body.items()}
        for path, table in parts.items():
            keys = "\n".join(_lines(table, (), references))
            blocks.append(f"[{_dotted(path)}]\n{keys}\n")
    for heading, gaps in notes.items():
        if lines := [_comment(gap) for gap in gaps]:
            blocks.append("\n".join([f"# {heading}", *lines, ""]))
    return "\n".join(blocks)


def _lines(
    table: Mapping[str, Any], above: tuple[str, ...], references: References
) -> Iterator[str]:
    for key, value in table.items():
        path = (*above, key)
        if isinstance(value, Reference):
            name = value["env"]
            place = in_one_line(references.places.get(name, "an access token of GitLab's"))
            yield f"{_dotted(path)} = {{ env = {inline(name)} }}  # {place}"
        elif isinstance(value, Mapping) and value:
            yield from _lines(value, path, references)
        else:
            yield f"{_dotted(path)} = {inline(value)}"


def _dotted(path: tuple[str, ...]) -> str:
    import tomlkit

    return ".".join(tomlkit.key(word).as_string() for word in path)


def _comment(gap: Gap) -> str:
    host = f"{gap.host}: " if gap.host else ""
    return f"# - {in_one_line(mask(host + gap.what))}"
