"""The shape that makes the promises true by construction."""

import ast
import re
from pathlib import Path

import pytest

from runnerkit.plan import mask
from runnerkit.settings import ROOT

FILES = sorted(p for folder in ("runnerkit", "sandbox") for p in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize(
    "step", sorted((ROOT / "runnerkit/steps").glob("*.py")), ids=lambda p: p.name
)
def test_steps_reach_no_host(step: Path) -> None:
    doors = {
        f"runnerkit.{name}" for name in ("machine", "engine", "gitlab", "host", "ssh", "fleet")
    }
    assert not imports(step) & (
        doors | {"time", "random", "os", "subprocess", "socket", "datetime"}
    )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_a_house_of_its_own(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 230


@pytest.mark.parametrize(
    "text",
    [
        'token = "glrt-abcdefghij"', "+  token = \"x\"", '"registry-token": "sentinel"',
        "SecretKey = 'sentinel'", "PASSWORD=sentinel", "http://user:sentinel@host/", "got glpat-sentinel99", "http://:sentinel@h/", 'environment = ["MY_TOKEN=sentinel"]',
    ],
)  # fmt: skip
def test_a_diff_shows_no_secret(text: str) -> None:
    assert not re.search('sentinel|abcdefghij|"x"', mask(text))
