"""Managers changed to another version on many hosts: a canary first, and back by itself where it fails."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from runnerkit import container, converge
from runnerkit.actions import upgrade as action
from runnerkit.checks.engine import api_version
from runnerkit.checks.finding import Finding, Level
from runnerkit.checks.gitlab import acceptance
from runnerkit.checks.jobs import rehearsal
from runnerkit.checks.runner import config_keys
from runnerkit.errors import KitError
from runnerkit.events import Phase
from runnerkit.facts import Facts
from runnerkit.files import previous
from runnerkit.fleet.act import act
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.host import Host, ScriptFailed
from runnerkit.fleet.rehearsal import rehearsed
from runnerkit.fleet.rollout import BACK, KEPT, PENDING, READY, SAME, UPGRADED, Rollout, Standing
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.place import DRAINED
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
    known, _ = wants(fleet)
    run = Rollout(fleet, {name: _with(want, image) for name, want in known.items()}, dry)
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
    known, _ = wants(fleet)
    run = Rollout(fleet, dict(known), dry)
    prepared = _prepared(run)

    def work(host: Host, want: Want) -> Standing:
        have = converge.look(host, want, ASKING)
        kept = previous.of(want, have)
        if not kept.image:
            image = _image(want, have)
            if kept.left and not converge.plan(_with(want, image), have, [ACTION]):
                run.wanted[host.name] = _with(want, image)
                return Standing(SAME, image, image)
            raise KitError(
                "no previous image is known here: its manager was not upgraded by the kit",
                "./inv runner.upgrade --to TAG --host NAME names one",
            )
        run.wanted[host.name] = _with(want, previous.reference(want, have))
        return prepared(host, run.wanted[host.name])

    run.each([target.name for target in fleet.targets], work)
    _replace_all(run, None)
    return _ended(run, write, back=True)


def _with(want: Want, image: str) -> Want:
    return replace(want, manager=structs.replace(want.manager, image=image))


def _image(want: Want, have: Facts) -> str:
    """What the manager that is there runs from."""
    now = have.containers.get(want.manager.container, {})
    return str(now.get("Config", {}).get("Image", ""))


def _prepared(run: Rollout) -> Callable[[Host, Want], Standing]:
    """What is done while the manager of now works on: images are put in place and tried."""

    def work(host: Host, want: Want) -> Standing:
        have = converge.look(host, want, ASKING)
        old, new = _image(want, have), want.manager.image
        if not converge.plan(want, have, [ACTION]):
            _raise(acceptance.findings(want, have))
            return Standing(SAME, old, new)
        _raise(api_version.findings(want, have))
        acted = act(host, want, (image_pulls,), run.dry)
        if run.dry:
            done = act(host, want, (ACTION,), True)
            return Standing(PENDING, old, new, (*acted.pending, *done.pending))
        if not have.docker_runs:
            raise KitError(
                "Docker does not run on the host", "./inv bootstrap --host NAME mends it"
            )
        host.tell(Phase("trying the new program"))
        tried = action.parsed(host.look(action.trial(want, acted.have), action.HINTS))
        if tried.faults:
            kind = config_keys.LINT
            raise kind.found(config=want.config, faults=config_keys.faults(tried.faults)).error()
        if not want.release:
            want = _with(want, action.versioned(new, tried.version))
            _raise(api_version.findings(want, have))
            act(host, want, (image_pulls,), False)
            run.wanted[host.name] = want
        return Standing(READY, old, want.manager.image)

    return work


def _raise(found: Iterable[Finding]) -> None:
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
    _raise(rehearsal.findings(want, rehearsed(host, want, have)))
    return _replaced(host, want)


def _replaced(host: Host, want: Want) -> Standing:
    have = converge.look(host, want, (ACTION,))
    known = Standing(UPGRADED, _image(want, have), want.manager.image)
    try:
        have = converge.apply(host, want, (ACTION,))
    except ScriptFailed as error:
        state = BACK if error.exited == container.PUT_BACK else KEPT
        raise Unfinished(error, replace(known, state=state)) from None
    return replace(known, drained=DRAINED in have.files)


def _ended(run: Rollout, write: bool, back: bool = False) -> Upgraded:
    """What is told; the settings are written where the new image has proven itself."""
    outcomes = tuple(run.outcomes[target.name] for target in run.fleet.targets)
    images = {one.result.new for one in outcomes if one.result}
    now, image = run.fleet.settings.manager.image, images.pop() if len(images) == 1 else ""
    image = image if image != now else ""
    proven = not run.failed and (run.names(UPGRADED) or run.names(SAME))
    file = edit.file() if write and image and proven else None
    if file:
        edit.set_image(file, image)
    return Upgraded(outcomes, image, now, file, back)
