"""Images that are sent before they are loaded."""

from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.events import Event, Progress
from runnerkit.fleet.bundles.ahead import Ahead
from runnerkit.machine import upload
from runnerkit.machine.machine import Machine
from runnerkit.plan import Load, Script
from tests.unit.bundling import bundle

Sent = list[list[str]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The names of the files of each upload."""
    found: Sent = []

    def put(_: object, files: list[upload.Upload], tell: upload.Tell) -> None:
        found.append([one.name for one in files])
        tell(1, 1)
        if len(found) == 2:
            raise KitError("the connection broke")

    monkeypatch.setattr(upload, "put", put)
    return found


def images(folder: Path) -> tuple[Ahead, list[Load]]:
    made = bundle(folder)
    loads = [Load(one.names[0], one, made) for one in made.contents.images]
    one = Ahead(Machine.__new__(Machine))
    one.expect([Script("another", ""), *loads])
    return one, loads


def test_each_part_is_sent_once_and_what_fails_is_left_to_the_load(
    tmp_path: Path, sent: Sent
) -> None:
    one, loads = images(tmp_path)
    one.begin()
    told: list[Event] = []
    for load in loads:
        one.wait(load, told.append)
    names = [name for each in sent for name in each]
    assert len(names) == len({*names}) == 1 + 3 * 3  # a layer of all, and three blobs of each
    assert all(event == Progress(1, 1) for event in told)


def test_what_has_been_loaded_is_not_sent(tmp_path: Path, sent: Sent) -> None:
    one, loads = images(tmp_path)
    for load in loads:
        one.wait(load, lambda _: None)
    one.begin()  # another script of the same run wants something of the bundle
    one.close()
    assert sent == []
