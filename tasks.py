"""The menu: a task is a verb and its page. What is done is in runnerkit/, what is tried in sandbox/."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

sys.path.insert(0, str(Path(__file__).parent))

from runnerkit.errors import KitError  # found by the path above
from runnerkit.menu import end, fleet_task, of_hosts, of_settings, plain_task
from runnerkit.place import CLONE, typed

if find_spec("fabric") is None:
    raise KitError(
        "this Invoke has not the libraries of the kit", "type ./inv, which has them, for invoke"
    )

if TYPE_CHECKING:
    from runnerkit.fleet.run import Fleet
    from runnerkit.report.page import Page


@fleet_task("url", "image", "name", "tags", "mirror", changes=True)
def bootstrap(fleet: "Fleet", bundle: str = "", mirrors_anew: bool = False) -> "Page":
    """Make hosts into runner hosts, and prove that GitLab accepts them."""
    from runnerkit.fleet import bootstrap
    from runnerkit.report.bootstrap import bootstrapped

    return bootstrapped(bootstrap.bootstrap(fleet, bundle, mirrors_anew))


@fleet_task("url", "image", "name", "tags", "mirror")
def plan(fleet: "Fleet", bundle: str = "", mirrors_anew: bool = False) -> "Page":
    """Show what bootstrap would change; exit 0 nothing, 2 changes pending, 1 failed."""
    from runnerkit.fleet import bootstrap
    from runnerkit.report.bootstrap import planned

    return planned(*bootstrap.plan(fleet, bundle, mirrors_anew))


@fleet_task()
def status(fleet: "Fleet", watch: bool = False) -> "Page":
    """Show how all hosts are: engine, manager, runners, jobs, images, disk, drift."""
    from runnerkit.fleet.health import status
    from runnerkit.report.status import shown, watched

    def look() -> "Page":
        return shown(*status.status(fleet))

    return watched(look) if watch else look()


@fleet_task(alone="message")
def doctor(
    fleet: "Fleet", pre: bool = False, job: str = "", message: str = "", rehearsal: bool = True
) -> "Page":
    """Find why a host, or a job, does not work, and what to do; exit 1 where an error is found."""
    from runnerkit.fleet.health import doctor
    from runnerkit.fleet.journals import job_logs
    from runnerkit.report.doctor import diagnosed
    from runnerkit.report.job_logs import explained, shown

    if message:
        return explained(message)
    if job:
        return shown(job_logs.explain(fleet, job), job)
    return diagnosed(doctor.doctor(fleet, pre, rehearsal))


@fleet_task("mirror", name="build", changes=True)
def image_build(
    fleet: "Fleet", names: str, pull: bool = False, no_cache: bool = False, push: str = ""
) -> "Page":
    """Build job images on hosts, where they are not as they are defined."""
    from runnerkit.fleet import job_images
    from runnerkit.report.job_images import built

    return built(job_images.build(fleet, names, pull, no_cache, push))


@fleet_task(name="ship", changes=True)
def image_ship(fleet: "Fleet", image: str, from_: str = "local") -> "Page":
    """Build a job image on one host and send it to others: only the layers that they lack."""
    from runnerkit.fleet import ship
    from runnerkit.report.job_images import built

    return built(ship.ship(fleet, from_, image))


@fleet_task(name="list")
def image_list(fleet: "Fleet") -> "Page":
    """Show which job images the hosts have, and which are stale or differ."""
    from runnerkit.fleet import job_images
    from runnerkit.report.job_images import listed

    return listed(job_images.listing(fleet))


@fleet_task(name="prune", changes=True)
def image_prune(fleet: "Fleet", force: bool = False, dry_run: bool = False) -> "Page":
    """Make room on hosts whose disk is too full, never at a job's cost."""
    from runnerkit.fleet.clearing import prune
    from runnerkit.report.prune import pruned

    return pruned(prune.make_room(fleet, force, dry_run))


@fleet_task(name="probe")
def mirror_probe(fleet: "Fleet", mirrors: str = "", write: bool = False) -> "Page":
    """Ask mirrors of Docker Hub, from hosts, for the images that these need; exit 1 where one has none."""
    from runnerkit.fleet.mirrors import probe
    from runnerkit.report.mirrors import surveyed

    return surveyed(probe.probe(fleet, mirrors, write))


@fleet_task(name="logs")
def runner_logs(
    fleet: "Fleet", follow: bool = False, since: str = "", errors: bool = False, job: str = ""
) -> "Page":
    """Show the managers' logs of many hosts in time order, each line with its host."""
    from runnerkit.fleet.journals import logs
    from runnerkit.report.logs import followed, read

    wanted = logs.selection(since, errors, job)
    names = tuple(target.name for target in fleet.targets)
    if follow:
        return followed(names, lambda tell: logs.follow(fleet, wanted, tell))
    return read(logs.read(fleet, wanted))


@fleet_task()
def audit(fleet: "Fleet", since: str = "") -> "Page":
    """Show who changed what on hosts, from where and with which settings, in time order."""
    from runnerkit.fleet.journals import audit
    from runnerkit.report.audit import audited

    return audited(audit.read(fleet, since))


@fleet_task(name="drain", changes=True)
def runner_drain(
    fleet: "Fleet",
    deadline: str = "",
    on_deadline: str = "wait",
    resume: bool = False,
    dry_run: bool = False,
) -> "Page":
    """Have hosts take no more jobs, and wait until those that run have ended; --resume undoes it."""
    from runnerkit.fleet.changes import drain
    from runnerkit.report.drain import drained

    wanted = drain.terms(deadline, on_deadline, resume, dry_run)
    return drained(drain.run(fleet, wanted), wanted)


@fleet_task(name="upgrade", changes=True)
def engine_upgrade(fleet: "Fleet", to: str = "", dry_run: bool = False) -> "Page":
    """Upgrade Docker itself, after the jobs, and hold it at that version."""
    from runnerkit.fleet.changes import engine_upgrade
    from runnerkit.report.engine_upgrade import upgraded

    return upgraded(engine_upgrade.upgrade(fleet, to, dry_run), dry_run)


@fleet_task(name="upgrade", changes=True)
def runner_upgrade(
    fleet: "Fleet", to: str, canary: str = "", write: bool = False, dry_run: bool = False
) -> "Page":
    """Bring managers to another version: a canary first; back by itself where it does not come up."""
    from runnerkit.fleet.changes import upgrade
    from runnerkit.report.upgrade import upgraded

    return upgraded(upgrade.upgrade(fleet, to, canary, write, dry_run))


@fleet_task(name="rollback", changes=True)
def runner_rollback(fleet: "Fleet", write: bool = False, dry_run: bool = False) -> "Page":
    """Bring managers back to the image that each had before its last upgrade."""
    from runnerkit.fleet.changes import upgrade
    from runnerkit.report.upgrade import upgraded

    return upgraded(upgrade.rollback(fleet, write, dry_run))


@fleet_task(name="rotate", changes=True)
def runner_rotate(
    fleet: "Fleet", runner: str = "", id_: int = 0, write: bool = False, dry_run: bool = False
) -> "Page":
    """Give runners new tokens, on all of their hosts at once; jobs that run go on."""
    from runnerkit.fleet.tokens import rotate
    from runnerkit.report.rotate import rotated

    return rotated(rotate.rotate(fleet, runner, id_, dry_run, write), dry_run)


@fleet_task("url", "image", "name", name="remove", changes=True)
def runner_remove(
    fleet: "Fleet", keep_images: bool = False, yes: bool = False, dry_run: bool = False
) -> "Page":
    """Take runners away from hosts, at GitLab too, with all that the kit put there."""
    from runnerkit.fleet.clearing import remove
    from runnerkit.report.remove import agreed, removed

    return removed(remove.remove_from(fleet, keep_images, dry_run, agreed(yes)), dry_run)


@fleet_task(name="ghosts")
def gitlab_ghosts(fleet: "Fleet", yes: bool = False, dry_run: bool = False) -> "Page":
    """List managers and runners that GitLab has and no host, and take them off."""
    from runnerkit.fleet.clearing import sweep
    from runnerkit.report.ghosts import agreed, shown

    return shown(sweep.sweep(fleet, dry_run, agreed(yes)))


@fleet_task(name="pause", changes=True)
def runner_pause(
    fleet: "Fleet", runner: str = "", note: str = "", for_: str = "", dry_run: bool = False
) -> "Page":
    """Have runners take no jobs, on any of their hosts; GitLab keeps that, with a note."""
    from runnerkit.fleet.changes import pause
    from runnerkit.report.pause import paused

    return paused(pause.stop(fleet, runner, note, for_, dry_run), dry_run)


@fleet_task(name="resume", changes=True)
def runner_resume(fleet: "Fleet", runner: str = "", dry_run: bool = False) -> "Page":
    """Have paused runners take jobs again."""
    from runnerkit.fleet.changes import pause
    from runnerkit.report.pause import resumed

    return resumed(pause.go_on(fleet, runner, dry_run), dry_run)


@plain_task(
    *("file", "for", "from", "arch", "kit", "key", "json", "accept-new-host-keys"), name="make"
)
def bundle_make(
    _: Context,
    file: str,
    for_: str = "",
    from_: str = "local",
    arch: str = "",
    kit: bool = False,
    key: str = "",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Put all that hosts of the settings need into one file, on a machine that reaches things."""
    from runnerkit.fleet.bundles import make
    from runnerkit.report.bundles import made

    def page(fleet: "Fleet") -> "Page":
        order = make.Order(Path(file), for_, arch, kit, key)
        return made(make.make(fleet, order, from_))

    of_settings(page, json, accept_new_host_keys)


@plain_task("file", "json", name="list")
def bundle_list(_: Context, file: str, json: bool = False) -> None:
    """Show what a bundle holds, by its head alone."""
    from runnerkit.bundle import reading
    from runnerkit.report.bundles import listed

    end(listed(reading.opened(Path(file))).show(json))


@plain_task("file", "key", "json", name="verify")
def bundle_verify(_: Context, file: str, key: str = "", json: bool = False) -> None:
    """Read a bundle whole, and compare every part with its list; with --key, its signature too."""
    from runnerkit.fleet.bundles import verification
    from runnerkit.report.bundles import verified

    def page(fleet: "Fleet") -> "Page":
        wanted = key or fleet.settings.bundle.signed_by
        return verified(verification.whole(Path(file), wanted, fleet.listener), wanted)

    of_settings(page, json)


@plain_task("old", "new", "file", "key", "json", name="diff")
def bundle_diff(
    _: Context, old: str, new: str, file: str, key: str = "", json: bool = False
) -> None:
    """Put what one bundle has and an older one has not into a file."""
    from runnerkit.fleet.bundles import difference
    from runnerkit.report.bundles import written

    def page(fleet: "Fleet") -> "Page":
        return written(difference.make(Path(old), Path(new), Path(file), key, fleet.listener))

    of_settings(page, json)


@plain_task(*("file", "registry", "from", "json", "accept-new-host-keys"), name="push")
def bundle_push(
    _: Context,
    file: str,
    registry: str,
    from_: str = "local",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Push a bundle's images to a registry of your own."""
    from runnerkit.fleet.bundles import push
    from runnerkit.report.bundles import pushed

    def page(fleet: "Fleet") -> "Page":
        return pushed(push.push(fleet, Path(file), registry, from_))

    of_settings(page, json, accept_new_host_keys)


@plain_task("into", "json")
def metrics(_: Context, into: str, json: bool = False) -> None:
    """Write what a Prometheus and a Grafana need for the hosts of the settings into a folder."""
    from runnerkit.fleet.health import metrics
    from runnerkit.place import settings_file
    from runnerkit.report.metrics import written
    from runnerkit.settings.load import load

    end(written(metrics.write(load(settings_file()), Path(into))).show(json))


@plain_task("host", "url", "json", "accept-new-host-keys")
def init(
    _: Context,
    host: str = "",
    url: str = "",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Write a runnerkit.toml: to fill in, or as --host H,… are set up already; never overwrites one."""
    from runnerkit.fleet import adopt
    from runnerkit.report.adopt import adopted
    from runnerkit.settings import starter

    file = Path(os.environ.get("RUNNERKIT_SETTINGS") or "runnerkit.toml")
    if host or url:
        of_hosts(
            lambda fleet: adopted(adopt.adopt(fleet, file)), host, url, json, accept_new_host_keys
        )
    else:
        print(starter.write(file))


@plain_task("runner-image")
def demo(_: Context, runner_image: str = "") -> None:
    """Try all of it on this machine: a blank host, a bootstrap, a job. Needs root or sudo."""
    from sandbox import demo

    end(demo.run(runner_image or None))


@plain_task("runner-image")
def up(_: Context, runner_image: str = "") -> None:
    """Put up blank hosts' network, a registry mirror and a miniature GitLab on this machine."""
    from sandbox import ready

    ready.up(runner_image or None)


@plain_task("name")
def host(_: Context, name: str) -> None:
    """Make a blank host in the sandbox, in place of one of that name, and say its address."""
    from sandbox import ready

    ready.host(name)


@task
def down(_: Context) -> None:
    """Take the sandbox down: containers, network, images, its state; nothing stays."""
    from sandbox import world

    world.down()


@plain_task("only")
def test(_: Context, only: str = "") -> None:
    """Run all the project's checks, installing what they need first."""
    from sandbox import checks

    end(checks.run(only))


@plain_task("source", "variables", name="bake")
def golden_bake(_: Context, source: str = "qemu", variables: str = "") -> None:
    """Bake a machine image: Docker, images and first boot in it, sealed. Needs root or sudo."""
    from runnerkit.events import Phase
    from runnerkit.golden import bake
    from runnerkit.report.progress import progress
    from sandbox.golden import trial

    file = bake.variables_file(source, variables)
    with progress() as listener:
        settings = trial.settings(lambda line: listener("golden", Phase(line)), source == "qemu")
        image = bake.bake(settings, listener, source=source, given=file)
    print(image)
    if source == "qemu":
        print(typed("./inv golden.test boots two machines from it"))


@plain_task("image", "json", name="test")
def golden_test(_: Context, image: str = "", json: bool = False) -> None:
    """Boot two machines from the image: both come up as runners of their own, and run a job."""
    from runnerkit.report.golden import tested
    from sandbox.golden import pair

    end(tested(pair.run(image)).show(json))


@plain_task(name="validate")
def golden_validate(_: Context) -> None:
    """Check the Packer template with the Packer that is here."""
    from runnerkit.golden import packer

    packer.check()
    print(f"valid for Packer {packer.release()}")


namespace = Collection(
    bootstrap,
    plan,
    status,
    doctor,
    audit,
    metrics,
    init,
    demo,
    *([test] if CLONE else ()),  # the checks are not installed
    bundle=Collection(bundle_make, bundle_list, bundle_verify, bundle_diff, bundle_push),
    engine=Collection(engine_upgrade),
    gitlab=Collection(gitlab_ghosts),
    golden=Collection(golden_bake, golden_test, golden_validate),
    image=Collection(image_build, image_ship, image_list, image_prune),
    mirror=Collection(mirror_probe),
    runner=Collection(
        *(runner_logs, runner_drain, runner_upgrade, runner_rollback),
        *(runner_rotate, runner_pause, runner_resume, runner_remove),
    ),
    sandbox=Collection(up, host, down),
)

if __name__ == "__main__":
    from runnerkit import program

    program.run(namespace)
