"""config.toml: read as gitlab-runner reads it, and re-encoded whole at every save."""

import os
import re
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..table import Table
from . import keys, toml_text
from .known_keys import CONFIG, RUNNER


class BadConfig(Exception):
    """The file cannot be used as it is."""


@dataclass
class Config:
    path: Path
    data: Table
    modified: float = 0.0

    @property
    def runners(self) -> list[Table]:
        return self.data.tables("runners")

    @runners.setter
    def runners(self, runners: list[Table]) -> None:
        self.data["runners"] = runners

    @property
    def check_interval(self) -> float:
        return max(self.data.number("check_interval"), 0) or 3

    @property
    def shutdown_timeout(self) -> float:
        return max(self.data.number("shutdown_timeout"), 0) or 30

    def save(self) -> None:
        """Truncate and write, as the real one does; an existing file keeps its mode."""
        text = toml_text.encode(keys.complete(self.data, CONFIG))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        self.modified = time.time()


def default_path() -> Path:
    if os.geteuid() == 0:
        return Path("/etc/gitlab-runner/config.toml")
    return Path.home() / ".gitlab-runner" / "config.toml"


def load(path: Path) -> Config:
    """The file's meaning; a file that is not there means no runners."""
    fresh = Table(concurrent=1, session_server=Table(session_timeout=1800))
    try:
        modified = path.stat().st_mtime
        raw = parse(path)
    except FileNotFoundError:
        return Config(path, fresh)
    data = Table({**fresh, "connection_max_age": "15m0s", **normalised(raw)})
    data["session_server"] = Table(
        {**fresh.table("session_server"), **data.table("session_server")}
    )
    for runner in data.tables("runners"):
        for key in ("url", "token"):
            runner[key] = expand(runner.text(key))
    return Config(path, data, modified)


def parse(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"decoding configuration file: toml: {error}") from error


def normalised(raw: dict[str, object]) -> Table:
    try:
        return keys.normalised(raw, CONFIG)
    except keys.WrongType as error:
        raise BadConfig(f"decoding configuration file: toml: {error}") from error


def template(path: Path) -> Table:
    """The single [[runners]] of a template, without its token; global options are ignored."""
    try:
        raw = parse(path)
    except FileNotFoundError:
        raw = {}
    runners = normalised(raw).tables("runners")
    if len(runners) != 1:
        raise BadConfig("configuration template must contain exactly one [[runners]] entry")
    runners[0].pop("token", None)
    return runners[0]


def merged(runner: Table, template: Table) -> Table:
    """What is zero in the runner, filled from the template; lists are not concatenated."""
    result = Table(runner)
    for key in RUNNER:
        own, more = runner.get(key), template.get(key)
        if isinstance(own, dict) and isinstance(more, dict):
            own = {k: v for k, v in own.items() if v not in ("", 0, [], {})}
            result[key] = Table({**more, **own})
        elif not own and more not in (None, "", 0, False, [], {}):
            result[key] = more
    return result


def expand(text: str) -> str:
    """$VAR and ${VAR} from the environment; what is not set becomes empty."""
    return re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda match: os.environ.get(match[1] or match[2], ""), text
    )
