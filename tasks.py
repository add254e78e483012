"""The menu: parse, call, print. What is done is in runnerkit/, what is tried in sandbox/."""

import sys
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

sys.path.insert(0, str(Path(__file__).parent))

from runnerkit.errors import interruptible  # found by the path above

HELP = {
    "host": "comma-separated: local, user@address[:port], an ssh alias, a name or glob of [hosts], all",
    "url": "GitLab's address, https://…",
    "image": "the job image: a folder of dockerfiles/, a name of [images], or any reference",
    "name": "the runner's name; the host's own name if not given",
    "tags": "comma-separated tags of the runner",
    "mirror": "a registry mirror of Docker Hub for the hosts, https://…",
    "json": "print data on stdout instead of a table",
    "names": "comma-separated job images; all: those of the settings",
    "from": "the host that builds it; this machine if not given",
    "force": "remove all that no job needs, however much of the disk is free",
    "dry-run": "only tell what would go",
    "pull": "look whether the bases have moved, and rebuild on them",
    "no-cache": "build without the builder's cache, even what is unchanged",
    "push": "push to this registry afterwards; REGISTRY_USER and REGISTRY_PASSWORD log in",
    "accept-new-host-keys": "accept and remember an SSH host key seen for the first time",
}

REACH = ("host", "json", "accept-new-host-keys")
TYPED = (*REACH, "url", "image", "name", "tags", "mirror")


def _help(*names: str) -> dict[str, str]:
    return {name: HELP[name] for name in names}


@task(help=_help(*TYPED), auto_shortflags=False)
def bootstrap(
    _: Context,
    host: str = "",
    url: str = "",
    image: str = "",
    name: str = "",
    tags: str = "",
    mirror: str = "",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Make hosts into runner hosts, and prove that GitLab accepts them."""
    from runnerkit import fleet, report

    chosen = _chosen(host, url, image, name, tags, mirror)
    with report.progress() as say:
        outcomes = fleet.bootstrap(*chosen, accept_new_host_keys, say)
    _end(report.bootstrapped(outcomes, json))


@task(help=_help(*TYPED), auto_shortflags=False)
def plan(
    _: Context,
    host: str = "",
    url: str = "",
    image: str = "",
    name: str = "",
    tags: str = "",
    mirror: str = "",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Show what bootstrap would change; exit 0 nothing, 2 changes pending, 1 failed."""
    from runnerkit import fleet, report

    chosen = _chosen(host, url, image, name, tags, mirror)
    with report.progress() as say:
        outcomes = fleet.plan(*chosen, accept_new_host_keys, say)
    _end(report.planned(outcomes, json))


@task(
    name="build",
    help=_help(*REACH, "names", "pull", "no-cache", "push", "mirror"),
    auto_shortflags=False,
)
def image_build(
    _: Context,
    names: str,
    host: str = "",
    pull: bool = False,
    no_cache: bool = False,
    push: str = "",
    mirror: str = "",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Build job images on hosts, where they are not as they are defined."""
    from runnerkit import fleet_images, report, report_images

    chosen = _chosen(host, mirror=mirror)
    with report.progress() as say:
        outcomes = fleet_images.build(
            *chosen, accept_new_host_keys, say, names, pull, no_cache, push
        )
    _end(report_images.built(outcomes, json))


@task(name="ship", help=_help(*REACH, "image", "from"), auto_shortflags=False)
def image_ship(
    _: Context,
    image: str,
    from_: str = "local",
    host: str = "",
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Build a job image on one host and send it to others: only the layers that they lack."""
    from runnerkit import fleet_images, report, report_images, targets

    others, read = _chosen(host)
    source = targets.one(from_, read)
    with report.progress() as say:
        outcomes = fleet_images.ship(source, others, read, accept_new_host_keys, say, image)
    _end(report_images.built(outcomes, json))


@task(name="list", help=_help(*REACH), auto_shortflags=False)
def image_list(
    _: Context, host: str = "", json: bool = False, accept_new_host_keys: bool = False
) -> None:
    """Show which job images the hosts have, and which are stale or differ."""
    from runnerkit import fleet_images, report, report_images

    chosen = _chosen(host)
    with report.progress() as say:
        outcomes = fleet_images.listing(*chosen, accept_new_host_keys, say)
    _end(report_images.listed(outcomes, json))


@task(name="prune", help=_help(*REACH, "force", "dry-run"), auto_shortflags=False)
def image_prune(
    _: Context,
    host: str = "",
    force: bool = False,
    dry_run: bool = False,
    json: bool = False,
    accept_new_host_keys: bool = False,
) -> None:
    """Make room on hosts whose disk is too full, never at a job's cost."""
    from runnerkit import fleet_prune, report, report_images

    chosen = _chosen(host)
    with report.progress() as say:
        outcomes = fleet_prune.make_room(*chosen, accept_new_host_keys, say, force, dry_run)
    _end(report_images.pruned(outcomes, json))


@task
def init(_: Context) -> None:
    """Write a commented runnerkit.toml to fill in; never overwrites one."""
    from runnerkit import starter

    print(starter.write(Path("runnerkit.toml")))


@task(help={"runner-image": "put this image, the real one above all, in the stand-in's place"})
@interruptible()
def demo(_: Context, runner_image: str = "") -> None:
    """Try all of it on this machine: a blank host, a bootstrap, a job. Needs root or sudo."""
    from sandbox import demo

    _end(demo.run(runner_image or None))


@task(help={"runner-image": "put this image, the real one above all, in the stand-in's place"})
@interruptible()
def up(_: Context, runner_image: str = "") -> None:
    """Put up blank hosts' network, a registry mirror and a miniature GitLab on this machine."""
    from sandbox import world

    world.up(print, runner_image or None)


@task
def down(_: Context) -> None:
    """Take the sandbox down: containers, network, images, its state; nothing stays."""
    from sandbox import world

    world.down()


@task(help={"only": "one session of the noxfile: lint, types, unit, hosts, long, vm or bench"})
def test(_: Context, only: str = "") -> None:
    """Run all the project's checks, installing what they need first."""
    from sandbox import checks

    _end(checks.run(only))


@task(
    name="bake",
    help={
        "source": "where it is built: qemu (on this machine), amazon-ebs or googlecompute",
        "variables": "a file of variables for that cloud, as packer/variables.pkr.hcl describes them",
    },
    auto_shortflags=False,
)
@interruptible()
def golden_bake(_: Context, source: str = "qemu", variables: str = "") -> None:
    """Bake a machine image: Docker, images and first boot in it, sealed. Needs root or sudo."""
    from runnerkit import report, settings
    from runnerkit.golden import bake

    given = bake.asked(source, variables)
    with report.progress() as say:
        if source == "qemu":
            read = _golden(lambda line: say("golden", line))
        else:  # nothing in a cloud reaches the sandbox
            read = settings.load(settings.find())
        image = bake.bake(read, say, source=source, given=given)
    print(image)
    if source == "qemu":
        print("./inv golden.test boots two machines from it")


@task(name="test", help={"image": "the image; the newest if not given"}, auto_shortflags=False)
@interruptible()
def golden_test(_: Context, image: str = "", json: bool = False) -> None:
    """Boot two machines from the image: both come up as runners of their own, and run a job."""
    from runnerkit import report_golden
    from runnerkit.golden import bake
    from sandbox import golden, world

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    chosen = bake.image(image, say)
    sandbox = world.up(say)
    report_golden.tested(golden.test(chosen, _golden(say, sandbox), sandbox, say), json)


@task(name="validate", auto_shortflags=False)
def golden_validate(_: Context) -> None:
    """Check the Packer template with the Packer that is here."""
    from runnerkit.golden import packer

    packer.check()
    print(f"valid for Packer {packer.release()}")


@task(name="provision", auto_shortflags=False)
def golden_provision(_: Context, host: str, folder: str) -> None:
    """Set up the machine that becomes an image: Packer's build calls this."""
    from runnerkit import report, settings
    from runnerkit.golden import provision

    read = settings.load(settings.find())
    with report.progress() as say:
        outcomes = provision.provision(host, Path(folder), read, say)
    _end(report.bootstrapped(outcomes, as_json=False))


def _golden(say: Any, sandbox: Any = None) -> Any:
    """The settings, or, without a file, those of an image for trying only."""
    from runnerkit import settings

    if file := settings.find():
        return settings.load(file)
    from sandbox import clones, world

    say("no runnerkit.toml: an image for trying only, with what the sandbox gives")
    return settings.load(typed=clones.trial(sandbox or world.up(say)))


def _chosen(
    host: str, url: str = "", image: str = "", name: str = "", tags: str = "", mirror: str = ""
) -> tuple[Any, Any]:
    from runnerkit import settings, targets, typed

    read = settings.load(settings.find(), typed.settings_of(url, image, name, tags, mirror))
    return targets.choose(host, read), read


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


namespace = Collection(
    bootstrap,
    plan,
    init,
    demo,
    test,
    golden=Collection(golden_bake, golden_test, golden_validate, golden_provision),
    image=Collection(image_build, image_ship, image_list, image_prune),
    sandbox=Collection(up, down),
)
