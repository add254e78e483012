"""The step, the check and the verb that CONTRIBUTING shows work as they stand there."""

import re
import sys
from types import ModuleType
from typing import Any

import pytest

from runnerkit.facts import File
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.place import ROOT
from runnerkit.settings.model import Settings
from runnerkit.settings.targets import Target
from tests.unit.build import blank, converged, want

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PIECES = re.findall(r'^```python\n(""".*?)^```$', TEXT, re.DOTALL | re.MULTILINE)


def shown(name: str) -> ModuleType:
    """The module that the page shows with a function of that name."""
    (piece,) = [piece for piece in PIECES if f"def {name}(" in piece]
    module = ModuleType(name)
    exec(piece, module.__dict__)
    return module


def test_the_step_changes_what_is_missing_and_nothing_else() -> None:
    step = shown("changes")
    (path,) = step.needs(want()).files
    (change,) = step.changes(want(), blank())
    assert change.title == f"write {path}"
    assert "restart systemd-journald" in change.text
    there = {path: File(step.FILES[path].text.encode(), 0o644, 1)}
    assert list(step.changes(want(), converged(files=there))) == []
    assert list(step.changes(want(), blank(systemd=False))) == []


def test_the_check_finds_what_is_so_and_nothing_else() -> None:
    check, many = shown("findings"), want(manager={"concurrent": 9})
    (found,) = check.findings(many, blank(cpus=2))
    assert (found.code, found.what) == ("processors-outnumbered", "9 jobs at once on 2 processors")
    assert list(check.findings(many, blank(cpus=9))) == []


class Answering:
    """A host that prints the same whatever it is asked."""

    def look(self, script: str) -> str:
        return "3600\n"


class OneHost(Fleet):
    """Work is done on a host that is not there."""

    def each(self, wants: Any, work: Any, *_: Any, **__: Any) -> Any:
        return [Outcome(name, work(Answering(), wanted)) for name, wanted in wants.items()]


def test_the_verb_goes_from_the_menu_to_the_host_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for room, function in (("actions", "parse"), ("fleet", "measure"), ("report", "measured")):
        monkeypatch.setitem(sys.modules, f"runnerkit.{room}.uptime", shown(function))
    (task,) = re.findall(
        r"^```python\n@fleet_task\(\)\n(def .*?)^```$", TEXT, re.DOTALL | re.MULTILINE
    )
    menu: dict[str, Any] = {}
    exec(task, menu)
    fleet = OneHost((Target("ci1", "ci1"),), Settings(), lambda host, event: None)
    assert menu["uptime"](fleet).lines == ["host  up", "ci1   3600 s"]
