"""A change as data: it names itself in the imperative, and carries its diff."""

import base64
import difflib
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from runnerkit.secrets import NAMES
from runnerkit.settings import ROOT, dockerfiles

if TYPE_CHECKING:
    import jinja2

    from runnerkit.images import JobImage


@dataclass(frozen=True)
class Hint:
    """What to say when a change fails and its output holds `pattern`."""

    pattern: str
    fix: str


@dataclass(frozen=True)
class Script:
    """A script for the host. Where `token` names a runner, its token is put in as $TOKEN."""

    title: str
    text: str
    diff: str = ""
    token: str = ""
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class Pull:
    """The first of `sources` that can be pulled, known as `image` thereafter."""

    title: str
    image: str
    sources: tuple[str, ...]
    platform: str = ""
    diff: str = ""


@dataclass(frozen=True)
class Build:
    """A job image built on the host, by BuildKit or the classic builder."""

    title: str
    image: "JobImage"
    buildkit: bool = True
    no_cache: bool = False
    diff: str = ""


@dataclass(frozen=True)
class ServerCall:
    """A call to GitLab: ``create``, ``update`` or ``reset`` the runner of that key."""

    title: str
    action: str
    runner: str
    id: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    diff: str = ""


Change = Script | Pull | Build | ServerCall


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """The changes in their order, those together that can be made at the same time."""
    batch: list[Change] = []
    for change in changes:
        if not all(_together(one, change) for one in batch):
            yield batch
            batch = []
        batch.append(change)
    if batch:
        yield batch


def _together(first: Change, second: Change) -> bool:
    if isinstance(first, Build) and isinstance(second, Build):
        return first.image.name not in {one.partition(":")[0] for one in second.image.bases}
    return isinstance(first, Pull) and isinstance(second, Pull)


_SECRET_LINE = re.compile(
    rf"""^(\W*[\w.-]*(?:{NAMES})["']?\s*[:=]\s*)\S.*$""",
    re.IGNORECASE | re.MULTILINE,
)
_SECRET_WORD = re.compile(
    r"\b(gl[a-z]{2,5}-|GR1348941)[\w.-]{6,}|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<==)(?<=(?i:token|ecret|sword|h_key)=)[^\s\"]+"
)
# A variable in a list, as config.toml has those of jobs: DOCKER_AUTH_CONFIG, DB_PASS, AWS_SECRET_ACCESS_KEY.
_SECRET_VARIABLE = re.compile(
    r"""(["']\w*(?:token|secret|pass|key|auth|credential)\w*=)(?:\\.|(?!["'][,\]\s]|["']$).)*""",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """The text without anything that looks like a secret."""
    lines = _SECRET_LINE.sub(r"\1***", text)
    return _SECRET_WORD.sub("***", _SECRET_VARIABLE.sub(r"\1***", lines))


def plain(text: str) -> str:
    """The text without colours: the runner writes them even where there is no terminal."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def diff(old: str, new: str, path: str) -> str:
    """A unified diff with secrets masked, for people to read."""
    lines = difflib.unified_diff(
        mask(old).splitlines(), mask(new).splitlines(), path, path, lineterm="", n=2
    )
    return "\n".join(lines)


def render(name: str, /, **values: Any) -> str:
    """A template of templates/; a name that it uses and is not given is an error."""
    return _templates().get_template(name).render(values)


def write_file(path: str, text: str, mode: int, **script: Any) -> Script:
    """Write a file whole or not at all, keeping the previous one beside it.

    Args:
        path: where, on the host.
        text: what it shall hold.
        mode: its permissions.
        script: `old` (what was there: the file is left alone if that changed meanwhile), `check`
            (shell lines that refuse the new file, "$new", by failing), `before` and `after` (shell
            lines to run when it is about to be written, and when it is), `keep_time` (see
            daemon_json).
    """
    old: bytes | None = script.get("old")
    return Script(
        f"write {path}",
        render(
            "write-file.sh.j2",
            path=path,
            content=base64.encodebytes(text.encode()).decode(),
            mode=f"{mode:o}",
            old=None if old is None else base64.b64encode(old).decode(),
            before=script.get("before", ""),
            after=script.get("after", ""),
            check=script.get("check", ""),
            keep_time=script.get("keep_time", ""),
        ),
        diff((old or b"").decode(errors="replace"), text, path),
        hints=(
            Hint("changed meanwhile", "another program wrote the file; run again"),
            Hint("", "correct what the settings say of this file, or what is said above"),
        ),
    )


@cache
def _templates() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([ROOT / "templates", dockerfiles()]),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
