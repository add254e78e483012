"""Managers changed to another version on many hosts: a canary first, and back by itself where it fails."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from runnerkit import converge
from runnerkit.actions import settle
from runnerkit.actions import upgrade as action
from runnerkit.checks.engine import api_version
from runnerkit.checks.finding import Finding, Level
from runnerkit.checks.gitlab import acceptance
from runnerkit.checks.jobs import rehearsal
from runnerkit.checks.runner import config_keys
from runnerkit.errors import KitError
from runnerkit.events import Phase
from runnerkit.facts import Facts
from runnerkit.fleet.act import act
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.changes.rollout import (
    BACK,
    KEPT,
    PENDING,
    READY,
    SAME,
    UPGRADED,
    Rollout,
    Standing,
)
from runnerkit.fleet.health.rehearsal import rehearsed
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.images.reference import normal
from runnerkit.machine.failure import ScriptFailed
from runnerkit.place import DRAINED
from runnerkit.plan import Pull
from runnerkit.settings import edit
from runnerkit.steps import image_pulls
from runnerkit.want import Want

ACTION = action.Replacement()
ASKING = (image_pulls, ACTION, acceptance, api_version)


@dataclass(frozen=True)
class Upgraded:
    """What became of the hosts. `image` is what the settings have to say ("" where they say so, or hosts
    differ), `settings` what they said, `file` where that is written now."""

    outcomes: tuple[Outcome[Standing], ...]
    image: str = ""
    settings: str = ""
    file: Path | None = None
    back: bool = False


def upgrade(fleet: Fleet, to: str, canary: str, write: bool, dry: bool) -> Upgraded:
    """Bring managers to another version.

    Args:
        fleet: the hosts.
        to: a tag, a digest, or a whole reference.
        canary: the host that is the first, by its name; "" for the first of the hosts.
        write: whether the settings file is changed as well.
        dry: only tell what would be changed.
    """
    image = action.reference(fleet.settings.manager.image, to.strip())
    names = [target.name for target in fleet.targets]
    if canary and canary not in names:
        raise KitError(f"--canary {canary}: none of the hosts", f"name one of {', '.join(names)}")
    if write:
        edit.file()
    wanted = {name: action.of_image(want, image) for name, want in wants(fleet)[0].items()}
    run = Rollout(fleet, wanted, dry)
    run.each(names, _prepared(run))
    _replace_all(run, canary if len(names) > 1 else None)
    return _ended(run, write)


def rollback(fleet: Fleet, write: bool, dry: bool) -> Upgraded:
    """Bring managers back to the image that each had before its last upgrade.

    Args:
        fleet: the hosts.
        write: whether the settings file is changed as well.
        dry: only tell what would be changed.
    """
    if write:
        edit.file()
    run = Rollout(fleet, wants(fleet)[0], dry)
    prepare = _prepared(run)

    def work(host: Host, want: Want) -> Standing:
        image = action.back_to(want, converge.look(host, want, (ACTION,)))
        run.wanted[host.name] = action.of_image(want, image)
        return prepare(host, run.wanted[host.name])

    run.each([target.name for target in fleet.targets], work)
    _replace_all(run, None)
    return _ended(run, write, back=True)


def _prepared(run: Rollout) -> Callable[[Host, Want], Standing]:
    """What is done while the manager of now works on: images are put in place and tried."""

    def work(host: Host, want: Want) -> Standing:
        have = converge.look(host, want, ASKING)
        known = Standing(KEPT, action.image_of(want, have), want.manager.image)
        try:
            return _prepare(run, host, want, have, known)
        except KitError as error:
            raise Unfinished(error, known) from None

    return work


def _prepare(run: Rollout, host: Host, want: Want, have: Facts, known: Standing) -> Standing:
    pending = converge.plan(want, have, [ACTION])
    if not pending:
        _refuse(acceptance.findings(want, have))
        named = known.old if normal(known.old) == normal(known.new) else known.new
        return replace(known, state=SAME, new=named)
    _refuse(api_version.findings(want, have))
    acted = act(host, want, (image_pulls,), run.dry)
    if run.dry:
        from runnerkit.fleet.mirrors.pull_failure import foreseen

        for change in acted.pending:
            if isinstance(change, Pull):
                host.tell(Phase("asking registries for the image"))
                foreseen(host.machine, host.engine, want, change)
        return replace(known, state=PENDING, pending=(*acted.pending, *pending))
    action.suited(want, acted.have)
    host.tell(Phase("trying the new program"))
    tried = action.parsed(host.look(action.trial(want, have), action.HINTS))
    if tried.faults:
        faults = config_keys.faults(tried.faults)
        raise config_keys.LINT.found(config=want.config, faults=faults).error()
    if not want.release:
        want = action.of_image(want, action.versioned(known.new, tried.version))
        _refuse(api_version.findings(want, have))
        act(host, want, (image_pulls,), False)
        run.wanted[host.name] = want
    return replace(known, state=READY, new=want.manager.image)


def _refuse(found: Iterable[Finding]) -> None:
    if errors := [one for one in found if one.level is Level.ERROR]:
        raise KitError("\n  ".join(one.what for one in errors), errors[0].fix)


def _replace_all(run: Rollout, canary: str | None) -> None:
    """Replace the managers of the hosts that are ready.

    Args:
        run: the hosts.
        canary: the host that is the first, "" for the first that can be; None for all alike.
    """
    able = [name for name in run.wanted if name in (*run.names(READY), *run.names(SAME))]
    if canary is not None and not run.failed and able:
        first = canary or able[0]
        if first in run.names(READY):
            run.each([first], _canary)
        if run.outcomes[first].error:
            run.failed = first
    if not run.failed:
        run.each(run.names(READY), _replaced)
    run.spare()


def _canary(host: Host, want: Want) -> Standing:
    """Jobs' containers start there as jobs would get them; only then is the manager replaced."""
    host.tell(Phase("rehearsing"))
    have = converge.look(host, want, (ACTION, rehearsal))
    _refuse(rehearsal.findings(want, rehearsed(host, want, have)))
    return _replaced(host, want)


def _replaced(host: Host, want: Want) -> Standing:
    have = converge.look(host, want, (ACTION,))
    known = Standing(UPGRADED, action.image_of(want, have), want.manager.image)
    try:
        have = converge.apply(host, want, (ACTION,))
    except ScriptFailed as error:
        state = BACK if error.exited == settle.PUT_BACK else KEPT
        raise Unfinished(error, replace(known, state=state)) from None
    return replace(known, drained=DRAINED in have.files)


def _ended(run: Rollout, write: bool, back: bool = False) -> Upgraded:
    """What is told; the settings are written where the new image has proven itself."""
    outcomes = tuple(run.outcomes[target.name] for target in run.fleet.targets)
    good = [*run.names(UPGRADED), *run.names(SAME), *run.names(PENDING)]
    images = {one.result.new for one in outcomes if one.result and one.host in good}
    now, image = run.fleet.settings.manager.image, images.pop() if len(images) == 1 else ""
    image = image if image != now else ""
    file = edit.file() if write and image and not (run.failed or run.dry) else None
    if file:
        edit.set_key(file, "manager", "image", image)
    return Upgraded(outcomes, image, now, file, back)
