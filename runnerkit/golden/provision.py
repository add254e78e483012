"""The machine that becomes an image: set up as any host is, tested, listed, made ready for its seal."""

import json
from base64 import encodebytes
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from msgspec import structs

from runnerkit import converge, resolve
from runnerkit.checks.jobs import helper_image
from runnerkit.errors import KitError
from runnerkit.events import Began, Event, Listener
from runnerkit.facts import Facts
from runnerkit.fleet.bootstrap import Bootstrapped
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.place import TEMPLATES
from runnerkit.plan import Hint, Script
from runnerkit.settings.model import Settings
from runnerkit.settings.targets import Target
from runnerkit.steps import first_boot
from runnerkit.templates import render
from runnerkit.want import Want

INSIDE = "/usr/share/runnerkit"
LISTS = ("packages.tsv", "images.jsonl")
KEY, HOST_KEY, USER = "bake_key", "host_key", "bake"
CONSOLE = "console.log"
WAIT = "if command -v cloud-init; then timeout 1800 cloud-init status --wait; fi >/dev/null || :"
NAME = "golden"  # under which progress is told


@dataclass
class Watch:
    """Seconds by phase, in their order."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=monotonic)
    _phase: str = ""

    def phase(self, name: str) -> None:
        """The phase before ends here."""
        now = monotonic()
        if self._phase:
            self.seconds[self._phase] = round(now - self._since, 1)
        self._phase, self._since = name, now


def provision(
    address: str, folder: Path, settings: Settings, listener: Listener
) -> list[Outcome[Bootstrapped]]:
    """Make a machine ready to be sealed. Packer's build calls it, by ``python -m runnerkit.golden``.

    Args:
        address: user@address:port.
        folder: of the build: the keys are there, and the lists of what is inside come there.
        settings: of the machines that are made from the image.
        listener: told what goes on.
    """
    watch = Watch()

    def timed(host: str, event: Event) -> None:
        if isinstance(event, Began):
            watch.phase(event.title)
        listener(host, event)

    def work(host: Host, wanted: Want) -> Bootstrapped:
        def script(title: str, text: str, fix: str) -> str:
            host.tell(Began(title, 1, 1))
            output = host.script(wanted, change := Script(title, text, hints=(Hint("", fix),)))
            host.changes.append(change)
            return output

        watch.phase("wait for cloud-init")
        host.look(WAIT)
        have = converge.apply(host, wanted, converge.GOLDEN)
        host.lock()
        script(
            "finish the machine", _finish(wanted, folder), "see the lines above; correct [golden]"
        )
        script(
            "test what is inside",
            selftest(wanted, have),
            "correct what the settings say of it, and bake again",
        )
        used = script(
            "list what is inside", _contents(), "see that the disk has room, and bake again"
        )
        for name in LISTS:
            (folder / name).write_text(host.look(f"cat {INSIDE}/{name}"))
        script(
            "seal",
            first_boot.seal(wanted, USER),
            "take it out of what is baked, or choose another base",
        )
        watch.phase("")
        report = {"seconds": watch.seconds, "used_kb_before_seal": int(used.split()[1])}
        (folder / "provision.json").write_text(json.dumps(report))
        return Bootstrapped((), ())

    known_hosts = folder / "known_hosts"
    known_hosts.write_text(
        f"{_known_as(address)} {(folder / HOST_KEY).with_suffix('.pub').read_text()}\n"
    )
    ssh = structs.replace(settings.ssh, known_hosts=str(known_hosts))
    target = Target(NAME, address, str(folder / KEY))
    fleet = Fleet((target,), structs.replace(settings, ssh=ssh), timed)
    return fleet.each({NAME: wanted(settings)}, work)


def wanted(settings: Settings) -> Want:
    """What an image shall be. No secret is read: a machine gets its own at first boot.

    Raises:
        KitError: the settings are no good for an image.
    """
    chosen = settings.golden.runners
    runners = {
        key: structs.replace(runner, token=None, registration_token=None, autoscaler={})
        for key, runner in settings.runners.items()
        if chosen is None or key in chosen
    }
    wanted = resolve.of_host(structs.replace(settings, runners=runners, hosts={}), "golden")
    own = first_boot.registering_runner(wanted)  # refuses one beside others
    shared = any(runner.hardening == "shared" for runner in runners.values())
    if own is None and shared and not wanted.docker.metadata:
        # An autoscaler's plugin, which needs the address, is on its manager's host: here are its jobs.
        return replace(wanted, docker=structs.replace(wanted.docker, metadata="closed"))
    return wanted


def selftest(want: Want, have: Facts) -> str:
    """The script that fails, and says why, where something is missing inside."""
    jobs = {one.image for one in want.runners if one.image}
    manager = [want.manager.image] if first_boot.registering_runner(want) else []
    return render(
        "golden-selftest.sh.j2",
        pulled=[*manager, *helper_image.helpers(want, have.architecture)],
        jobs=sorted(jobs | {job.reference for job in want.images}),
        instance=_instance(want),
        user=want.golden.user,
        units=["docker.service", *first_boot.units(want)],
        config=want.config,
    )


def _finish(want: Want, folder: Path) -> str:
    provenance = encodebytes((folder / "provenance.json").read_bytes()).decode()
    return render(
        "golden-finish.sh.j2",
        packages=list(
            dict.fromkeys((*want.golden.packages, *(["git"] if _instance(want) else [])))
        ),
        user=want.golden.user,
        manager=want.manager.image,
        instance=_instance(want),
        registers=first_boot.registering_runner(want),
        provenance=provenance,
    )


def _instance(want: Want) -> bool:
    """Whether jobs run on the machine itself, with what is installed there."""
    return any(runner.spec.executor == "instance" for runner in want.runners)


def _contents() -> str:
    return (TEMPLATES / "golden-contents.sh").read_text()


def _known_as(address: str) -> str:
    """As known_hosts has it."""
    host, _, port = address.rpartition("@")[2].partition(":")
    if not host:
        raise KitError(f"{address}: no address of a machine", "Packer gives it; ./inv golden.bake")
    return host if port in ("", "22") else f"[{host}]:{port}"
