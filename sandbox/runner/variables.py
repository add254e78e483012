"""A job's variables: where they come from, and how they expand."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import version

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))")


@dataclass(frozen=True)
class Variable:
    key: str
    value: str
    file: bool = False
    masked: bool = False
    raw: bool = False


class Variables:
    """Later ones win; values expand references to others, except raw ones."""

    def __init__(self, variables: Iterable[Variable]) -> None:
        self._all = {variable.key: variable for variable in variables}
        self._all = {
            key: variable if variable.raw else replace(variable, value=self.expand(variable.value))
            for key, variable in self._all.items()
        }

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._all.values())

    def get(self, key: str, default: str = "") -> str:
        return self._all[key].value if key in self._all else default

    def expand(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            return "$" if match[3] else self.get(match[1] or match[2])

        return _REFERENCE.sub(value, text)

    def secrets(self) -> list[str]:
        return [variable.value for variable in self._all.values() if variable.masked]

    def environment(self) -> list[str]:
        return [f"{v.key}={v.value}" for v in self._all.values() if not v.file]

    def with_(self, key: str, value: str) -> "Variables":
        """A copy with one more, nothing expanded a second time."""
        copy = Variables([])
        copy._all = {**self._all, key: Variable(key, value, raw=True)}
        return copy

    def flag(self, name: str, default: bool) -> bool:
        text = self.get(name).lower()
        return text in {"1", "t", "true"} if text else default


def gather(
    runner: Mapping[str, Any], job: Mapping[str, Any], project_dir: str, slots: tuple[int, int]
) -> Variables:
    """In the real program's order, the weakest first."""
    timeout = int(job.get("runner_info", {}).get("timeout") or 7200)
    own = {
        "CI_BUILDS_DIR": str(runner.get("builds_dir") or "/builds"),
        "CI_PROJECT_DIR": project_dir,
        "CI_CONCURRENT_ID": str(slots[0]),
        "CI_CONCURRENT_PROJECT_ID": str(slots[1]),
        "CI_SERVER": "yes",
        "CI_JOB_STATUS": "running",
        "CI_JOB_TIMEOUT": str(timeout),
        "CI_DISPOSABLE_ENVIRONMENT": "true",
        "CI_RUNNER_VERSION": version.VERSION,
        "CI_RUNNER_REVISION": version.REVISION,
        "CI_RUNNER_EXECUTABLE_ARCH": f"linux/{version.ARCH}",
    }
    flags = runner.get("feature_flags", {})
    found = [Variable(name, "true" if on else "false") for name, on in flags.items()]
    for pair in runner.get("environment", []):
        key, _, value = pair.partition("=")
        found.append(Variable(key, value))
    found += [Variable(key, value, raw=True) for key, value in own.items()]
    found += _of_server((job.get("image") or {}).get("variables"))
    found += _of_server(job.get("variables"))
    return Variables(found)


def _of_server(items: Iterable[Mapping[str, Any]] | None) -> list[Variable]:
    return [
        Variable(
            str(item["key"]),
            str(item.get("value", "")),
            bool(item.get("file")),
            bool(item.get("masked")),
            bool(item.get("raw")),
        )
        for item in items or []
    ]
