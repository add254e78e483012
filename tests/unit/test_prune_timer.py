"""The timer, or cron, that makes room by itself."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.plan import Script
from runnerkit.steps import prune_timer
from runnerkit.steps.prune_timer import ENABLED, PROGRAM, SERVICE, TIMER
from tests.unit.build import converged, want

DAILY = "/etc/cron.daily/runnerkit-prune"


def scheduled(often: str = "daily", **more: Any) -> Any:
    return want(prune={"schedule": often}, **more)


def titles(wanted: Any, have: Facts) -> list[str]:
    return [change.title for change in prune_timer.changes(wanted, have)]


def installed(wanted: Any, have: Facts, **more: Any) -> Facts:
    """The host when all that is wanted has been written."""
    files = {
        path: File(content.text.encode(), content.mode, 500)
        for path, content in prune_timer._files(wanted, have).items()
    }
    if have.systemd:
        files[ENABLED] = files[TIMER]
    units = {TIMER.rpartition("/")[2]: "active"} if have.systemd else {}
    facts = {"units": units, "cron": have.cron, "systemd": have.systemd, **more}
    return converged(files={**have.files, **files}, **facts)


def test_without_a_schedule_nothing_is_installed() -> None:
    assert titles(want(), converged()) == []


def test_a_schedule_installs_a_timer() -> None:
    writes = [f"write {path}" for path in (PROGRAM, SERVICE, TIMER)]
    assert titles(scheduled(), converged()) == [*writes, "start runnerkit-prune.timer"]
    assert titles(scheduled(), installed(scheduled(), converged())) == []


def test_a_changed_schedule_replaces_the_timer() -> None:
    have = installed(scheduled(), converged())
    assert titles(scheduled("weekly"), have) == [f"write {TIMER}", "start runnerkit-prune.timer"]


def test_a_changed_watermark_replaces_the_script_alone() -> None:
    have = installed(scheduled(), converged())
    changed = want(prune={"schedule": "daily", "low": 50})
    assert titles(changed, have) == [f"write {PROGRAM}"]


def test_a_script_that_cron_could_not_run_is_written_anew() -> None:
    plain = converged(systemd=False, cron=("/etc/cron.daily",))
    have = installed(scheduled(), plain)
    files = {**have.files, DAILY: replace(have.files[DAILY], mode=0o644)}
    assert titles(scheduled(), replace(have, files=files)) == [f"write {DAILY}"]


def test_a_timer_that_was_stopped_or_disabled_is_started() -> None:
    have = installed(scheduled(), converged())
    start = ["start runnerkit-prune.timer"]
    assert titles(scheduled(), installed(scheduled(), converged(), units={})) == start
    files = {path: file for path, file in have.files.items() if path != ENABLED}
    assert (
        titles(scheduled(), converged(files=files, units={"runnerkit-prune.timer": "active"}))
        == start
    )


def test_no_schedule_any_more_removes_what_was_installed_and_nothing_else() -> None:
    (change,) = prune_timer.changes(want(), installed(scheduled(), converged()))
    assert isinstance(change, Script)
    assert change.title == f"remove {PROGRAM}, {SERVICE}, {TIMER}"
    assert "systemctl disable --now runnerkit-prune.timer" in change.text


def test_without_systemd_cron_does_it() -> None:
    plain = converged(systemd=False, cron=("/etc/cron.daily", "/etc/cron.weekly"))
    assert titles(scheduled(), plain) == [f"write {PROGRAM}", f"write {DAILY}"]
    have = installed(scheduled(), plain)
    assert titles(scheduled(), have) == []
    assert titles(scheduled("weekly"), have) == [
        f"remove {DAILY}", "write /etc/cron.weekly/runnerkit-prune",
    ]  # fmt: skip
    (change,) = prune_timer.changes(want(), have)
    assert change.title == f"remove {PROGRAM}, {DAILY}"
    assert isinstance(change, Script)
    assert "systemctl" not in change.text
    with pytest.raises(KitError, match="hourly: it has no systemd, and no cron"):
        titles(scheduled("hourly"), plain)


def test_alpines_cron_goes_through_other_directories() -> None:
    alpine = converged(systemd=False, cron=("/etc/periodic/daily",))
    assert titles(scheduled(), alpine)[1:] == ["write /etc/periodic/daily/runnerkit-prune"]
