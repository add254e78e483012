"""A dry run that has changes exits with 2, whatever the verb."""

import pytest

from runnerkit.actions.prune import Item, Pruned
from runnerkit.facts import ServerRunner
from runnerkit.fleet.changes.drain import DrainState, Terms
from runnerkit.fleet.changes.engine_upgrade import EngineState
from runnerkit.fleet.changes.pause import PausedRunner, Pauses
from runnerkit.fleet.clearing.ghosts import Ghost
from runnerkit.fleet.clearing.sweep import Listed, Swept
from runnerkit.fleet.run import Outcome
from runnerkit.fleet.tokens.new_tokens import Rotated
from runnerkit.fleet.tokens.rotate import Rotation
from runnerkit.plan import Script
from runnerkit.report import drain, engine_upgrade, ghosts, outcome, pause, prune, rotate
from runnerkit.report.page import Page

CHANGE = Script("do it", "true")
SILENT = Ghost(ServerRunner(9, "old", "runnerkit host=old1 machine=0 runner=web", status="offline"))
WEB = PausedRunner("web", 7, "pause", None, ("ci1",), ())


def test_a_host_that_failed_comes_before_changes() -> None:
    well: Outcome[None] = Outcome("ci1")
    ill: Outcome[None] = Outcome("ci2", error="no")
    codes = [outcome.code(hosts, p) for hosts in ([well], [well, ill]) for p in (False, True)]
    assert codes == [0, 2, 1, 1]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (drain.drained([Outcome("a", DrainState(True, pending=(CHANGE,)))], Terms(dry=True)), 2),
        (drain.drained([Outcome("a", DrainState(True))], Terms(dry=True)), 0),
        (
            engine_upgrade.upgraded([Outcome("a", EngineState("1", "1", pending=(CHANGE,)))], True),
            2,
        ),
        (engine_upgrade.upgraded([Outcome("a", EngineState("1", "2"))], False), 0),
        (pause.paused(Pauses([], (WEB,)), True), 2),
        (pause.paused(Pauses([], (WEB,)), False), 0),
        (rotate.rotated(Rotation([Outcome("a", Rotated({"web": "renewed"}))]), True), 2),
        (rotate.rotated(Rotation([Outcome("a", Rotated({"web": "renewed"}, True))]), False), 0),
        (prune.pruned([Outcome("a", Pruned(pending=(Item("image", "web:1", 5),)))]), 2),
        (prune.pruned([Outcome("a", Pruned((Item("image", "web:1", 5),)))]), 0),
        (ghosts.shown(Swept((Listed(SILENT, 9),), (), [])), 2),
        (ghosts.shown(Swept((Listed(SILENT, 9, "removed"),), (), [])), 0),
    ],
)
def test_each_verb_that_can_be_tried(page: Page, code: int) -> None:
    assert page.code == code
