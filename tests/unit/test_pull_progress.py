"""A pull that has come whole is unpacked: the progress says so, and does not stand still."""

from typing import Any

from runnerkit.engine.transfer import _follow
from runnerkit.events import Event
from runnerkit.report.progress import line

# As the engine words them; the one with seconds is the containerd store's.
EVENTS: list[dict[str, Any]] = [
    {"status": "Pulling from library/x", "id": "12"},
    {"status": "Pulling fs layer", "id": "a", "progressDetail": {}},
    {"status": "Downloading", "id": "a", "progressDetail": {"current": 1e6, "total": 3e6}},
    {"status": "Downloading", "id": "b", "progressDetail": {"current": 97e6, "total": 110e6}},
    {"status": "Verifying Checksum", "id": "a", "progressDetail": {}},
    {"status": "Download complete", "id": "a", "progressDetail": {}},
    {"status": "Extracting", "id": "a", "progressDetail": {"current": 1e6, "total": 3e6}},
    {"status": "Download complete", "id": "b", "progressDetail": {}},
    {"status": "Extracting", "id": "b", "progressDetail": {"current": 1e6, "total": 110e6}},
    {"status": "Extracting", "id": "b", "progressDetail": {"current": 2, "units": "s"}},
    {"status": "Pull complete", "id": "b", "progressDetail": {}},
]


def test_what_has_come_is_said_to_be_unpacked() -> None:
    events: list[Event] = []
    _follow(iter(EVENTS), "Downloading", events.append)
    lines = [line(event).strip() for event in events]
    assert lines[:2] == ["1 of 3 MB", "98 of 113 MB"]
    assert lines[2:5] == ["100 of 113 MB"] * 3
    assert {*lines[5:]} == {"unpacking 113 MB"}


def test_a_layer_that_was_there_needs_no_bytes() -> None:
    events: list[Event] = []
    _follow(iter([{"status": "Extracting", "id": "a"}]), "Downloading", events.append)
    assert [line(event).strip() for event in events] == ["unpacking"]
