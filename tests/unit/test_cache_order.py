"""Hosts that run a cache come before those that ask it, which are given what it answers with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from runnerkit import resolve
from runnerkit.events import Event
from runnerkit.fleet.host import Host
from runnerkit.fleet.mirrors import caches
from runnerkit.fleet.run import Fleet, Outcome, Pace
from runnerkit.settings.load import load
from runnerkit.settings.targets import choose
from runnerkit.want import Want
from tests.unit.build import URL

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
HOSTS = {
    "a": {"address": "10.0.0.7"},
    "b": {"address": "10.0.0.5", "cache": True},
    "c": {"address": "10.0.0.6"},
}


@dataclass
class World:
    """Hosts that answer a script so, and what was done on which, in order."""

    answer: str = PEM
    fails: str = ""
    done: list[tuple[str, str]] = field(default_factory=list)

    def look(self, _: str) -> str:
        return self.answer


def _nobody(_: str, __: Event) -> None:
    return


def run(
    monkeypatch: pytest.MonkeyPatch, world: World, names: str, **pace: Any
) -> list[Outcome[str]]:
    settings = load(command_line={"gitlab": {"url": URL}, "hosts": HOSTS})
    fleet = Fleet(tuple(choose(names, settings)), settings, _nobody, pace=Pace(**pace))

    def each(
        self: Fleet, wants: Mapping[str, Want], work: Callable[[Any, Want], Any], *_: Any, **__: Any
    ) -> list[Outcome[Any]]:
        found = []
        for target in self.targets:
            host = type("Known", (), {"name": target.name, "look": world.look})()
            if target.name == world.fails:
                found.append(Outcome[Any](target.name, error="it broke"))
            else:
                found.append(Outcome[Any](target.name, work(host, wants[target.name])))
        return found

    def work(host: Host, want: Want) -> str:
        world.done.append((host.name, (want.caches[0].certificate or "") if want.caches else ""))
        return host.name

    monkeypatch.setattr(Fleet, "each", each)
    wants = {one.name: resolve.of_host(settings, one.name, empty=True) for one in fleet.targets}
    return caches.first(fleet, wants, work, None)


def test_the_cache_s_host_is_first_and_the_table_is_in_the_order_of_the_hosts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    assert [one.host for one in run(monkeypatch, world, "all")] == ["a", "b", "c"]
    assert world.done == [("b", ""), ("a", PEM), ("c", PEM)]


def test_a_host_alone_is_given_the_certificate_of_a_cache_that_is_not_in_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    run(monkeypatch, world, "c")
    assert world.done == [("c", PEM)]


@pytest.mark.parametrize("answer", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n", f"{PEM}\nrm -rf /"])
def test_what_is_no_certificate_is_taken_for_none(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    world = World(answer)
    run(monkeypatch, world, "c")
    assert world.done == [("c", "")]


def test_a_cache_s_host_that_fails_spares_the_others_only_where_that_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(fails="b")
    run(monkeypatch, world, "all")
    assert [name for name, _ in world.done] == ["a", "c"]
    spared = replace(world, done=[])
    outcomes = run(monkeypatch, spared, "all", stop_on_failure=True)
    assert spared.done == []
    assert [bool(one.error) for one in outcomes] == [True] * 3
