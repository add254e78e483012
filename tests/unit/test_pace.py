"""Hosts are changed at the pace that was typed."""

import threading

import pytest

from runnerkit.errors import KitError
from runnerkit.fleet.run import Fleet, Pace
from runnerkit.menu.options import MOST, pace
from runnerkit.settings.load import load
from runnerkit.settings.targets import Target

NAMES = ("a", "b", "c")


def fleet(pace: Pace) -> Fleet:
    return Fleet(tuple(Target(name, "local") for name in NAMES), load(), lambda *_: None, pace=pace)


def test_no_more_hosts_at_once_than_typed() -> None:
    most, now, lock = 0, 0, threading.Lock()
    together = threading.Barrier(2)

    def work(*_: object) -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        if number.pop():
            together.wait(10)
        with lock:
            now -= 1

    number = [False, True, True]
    outcomes = fleet(pace("2", False, False)).each(dict.fromkeys(NAMES), work)  # type: ignore[arg-type]
    assert [one.error for one in outcomes] == ["", "", ""] and most == 2


@pytest.mark.parametrize("stop", [True, False])
def test_a_failure_spares_the_hosts_not_begun_where_asked(stop: bool) -> None:
    begun = []

    def work(host: object, _: object) -> None:
        begun.append(host.name)  # type: ignore[attr-defined]
        if len(begun) == 2:
            raise KitError("no room", "make room")

    outcomes = fleet(pace("1", stop, False)).each(dict.fromkeys(NAMES), work)  # type: ignore[arg-type]
    assert begun == (["a", "b"] if stop else ["a", "b", "c"])
    assert outcomes[1].error == "no room"
    assert outcomes[2].error == ("not begun, as b failed and --stop-on-failure was given" * stop)


@pytest.mark.parametrize("typed", ["0", "-1", "two", "1.5", str(MOST + 1), "9" * 5000, "²", " "])
def test_a_pace_that_is_none_is_said(typed: str) -> None:
    with pytest.raises(KitError, match="no number of hosts"):
        pace(typed, False, False)


def test_the_usual_pace() -> None:
    assert pace("", False, False) == Pace()
    assert pace(str(MOST), True, True) == Pace(MOST, True, wait=True)
