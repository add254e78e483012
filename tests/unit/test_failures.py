"""--only-failed repeats what failed last time of a verb with these settings."""

import json
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.fleet import failures
from runnerkit.fleet.operation import Operation
from runnerkit.menu import changing, full
from runnerkit.report.page import Page
from runnerkit.settings.hooks import Hooks
from runnerkit.settings.load import load
from runnerkit.settings.targets import choose
from tasks import namespace

SETTINGS = load(
    command_line={"hosts": {name: {"address": f"root@{name}"} for name in ("a", "b", "c")}}
)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(failures, "state", lambda: tmp_path)
    return tmp_path


def ran(verb: str = "bootstrap", file: str = "runnerkit.toml", **errors: str | None) -> None:
    """A run on these hosts; None for one of which the page says nothing."""
    hosts = [
        {"host": name, "state": "ok", "error": why or None, "fix": None}
        for name, why in errors.items()
        if why != "-"
    ]
    targets = choose(",".join(errors), SETTINGS)
    operation = Operation(verb, Path(file))
    changing.changed(lambda: Page([], {"hosts": hosts}), operation, Hooks(), targets)


def left(host: str = "", verb: str = "bootstrap", file: str = "runnerkit.toml") -> list[str]:
    operation = Operation(verb, Path(file))
    return [one.name for one in changing.last_failed(operation, host, SETTINGS, lambda _: False)]


def test_those_that_failed_or_were_not_begun() -> None:
    ran(a="", b="no room", c="-")
    assert left() == ["b", "c"]
    assert left("a,b") == left("b") == ["b"] and left("a") == []


def test_a_run_of_other_hosts_leaves_them() -> None:
    ran(a="", b="no room", c="no room")
    ran(c="")
    assert left() == ["b"]
    ran(b="")
    assert left() == [] and failures.file().read_text() == "{}"


def test_each_verb_and_each_settings_file_for_itself() -> None:
    ran(a="no room")
    assert left(verb="image.build") == left(file="other.toml") == [] != left()


def test_a_run_that_ended_before_its_hosts_failed_on_all() -> None:
    def run() -> Page:
        raise KitError("interrupted", code=130)

    with pytest.raises(KitError):
        operation = Operation("bootstrap", Path("runnerkit.toml"))
        changing.changed(run, operation, Hooks(), choose("all", SETTINGS))
    assert left() == ["a", "b", "c"]


def test_one_that_left_the_settings_is_not_asked_for() -> None:
    failures.remember(Operation("bootstrap", Path("runnerkit.toml")), ["gone"], ["gone", "b"])
    assert left() == ["b"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": []}', '{"x": {"y": "z"}}', "\xff"])
def test_a_damaged_memory_is_told_and_written_anew(text: str, folder: Path) -> None:
    ran(a="no room")
    failures.file().write_bytes(text.encode("latin-1"))
    with pytest.raises(KitError, match="cannot be read") as error:
        left()
    assert str(failures.file()) in error.value.what
    ran(b="no room")
    assert left() == ["b"]
    assert json.loads(failures.file().read_text())
    assert [one.name for one in failures.file().parent.iterdir()] == ["last.json"]


def test_one_that_cannot_be_written_does_not_end_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".runnerkit").write_text("in its way")
    ran(a="no room")
    assert "--only-failed will not know of this run" in capsys.readouterr().err


def test_verbs_are_remembered_by_what_is_typed() -> None:
    names = [name for name in namespace.task_names if "only-failed" in namespace[name].help]
    assert {"bootstrap", "image.build", "image.ship", "image.prune"} <= {*names}
    for name in names:
        verb = namespace[name].body.__wrapped__
        assert full(verb, name.partition(".")[2]) == name
