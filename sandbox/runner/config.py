"""config.toml: read like gitlab-runner does, and re-encoded whole at every save."""

import os
import re
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import keys, toml_text
from .schema import CONFIG, RUNNER

Runner = dict[str, Any]


class BadConfig(Exception):
    """The file cannot be used as it is."""


@dataclass
class Config:
    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    modified: float = 0.0
    loaded: bool = False

    @property
    def runners(self) -> list[Runner]:
        runners: list[Runner] = self.data.setdefault("runners", [])
        return runners

    @property
    def concurrent(self) -> int:
        return int(self.data.get("concurrent", 1))

    @property
    def check_interval(self) -> float:
        return float(max(self.data.get("check_interval", 0), 0) or 3)

    @property
    def shutdown_timeout(self) -> float:
        return float(max(self.data.get("shutdown_timeout", 0), 0) or 30)

    def save(self) -> None:
        """Truncate and write, as the real one does; an existing file keeps its mode."""
        text = toml_text.encode(keys.complete(self.data, CONFIG))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        self.modified = time.time()
        self.loaded = True


def default_path() -> Path:
    if os.geteuid() == 0:
        return Path("/etc/gitlab-runner/config.toml")
    return Path.home() / ".gitlab-runner" / "config.toml"


def load(path: Path) -> Config:
    """The file's meaning; a file that is not there means no runners."""
    fresh = {"concurrent": 1, "session_server": {"session_timeout": 1800}}
    try:
        modified = path.stat().st_mtime
        raw = parse(path)
    except FileNotFoundError:
        return Config(path, fresh)
    data = {**fresh, "connection_max_age": "15m0s", **normalise(raw)}
    data["session_server"] = {**fresh["session_server"], **data["session_server"]}  # type: ignore[dict-item]
    for runner in data.get("runners", []):
        for key in ("url", "token"):
            runner[key] = expand(runner.get(key, ""))
    return Config(path, data, modified, loaded=True)


def parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"decoding configuration file: toml: {error}") from error


def normalise(raw: dict[str, Any]) -> dict[str, Any]:
    try:
        return keys.normalise(raw, CONFIG)
    except keys.WrongType as error:
        raise BadConfig(f"decoding configuration file: toml: {error}") from error


def template(path: Path) -> Runner:
    """The single [[runners]] of a template, without its token; global options are ignored."""
    try:
        raw = parse(path)
    except FileNotFoundError:
        raw = {}
    runners = normalise(raw).get("runners", [])
    if len(runners) != 1:
        raise BadConfig("configuration template must contain exactly one [[runners]] entry")
    runner: Runner = runners[0]
    runner.pop("token", None)
    return runner


def merge(runner: Runner, template: Runner) -> Runner:
    """Fill what is zero in the runner from the template; lists are not concatenated."""
    result = dict(runner)
    for key in RUNNER:
        have, more = runner.get(key), template.get(key)
        if isinstance(have, dict) and isinstance(more, dict):
            result[key] = {**more, **{k: v for k, v in have.items() if v not in ("", 0, [], {})}}
        elif not have and more not in (None, "", 0, False, [], {}):
            result[key] = more
    return result


def expand(text: str) -> str:
    """$VAR and ${VAR} from the environment; what is not set becomes empty."""

    def replace(match: re.Match[str]) -> str:
        return os.environ.get(match[1] or match[2], "")

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", replace, text)
