"""Two machines from one golden image: each comes up with its own identity, and runs a job.

A machine that registers itself goes online and is given its job by GitLab; one for an autoscaler
is handed it as a manager does it: by SSH, in the shell of the image's user.
"""

import shlex
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.golden import bake, provision
from runnerkit.machine.failure import translated
from runnerkit.redact import plain
from runnerkit.settings.model import Settings
from runnerkit.steps import first_boot
from runnerkit.want import Want
from sandbox import world
from sandbox.client import Client
from sandbox.golden import trial
from sandbox.golden.clones import PATIENCE, Clone, answers, switch_on
from sandbox.world import World

TAG = "golden-test"
HELD = ["echo it runs on $(uname -n)", "until [ -e /go ]; do sleep 0.2; done"]
LET_GO = """job=$(docker ps -q --filter label=com.gitlab.gitlab-runner.type=build)
[ -z "$job" ] || ! docker exec $job touch /go 2>/dev/null || echo gone"""
IDENTITY = ".runner_system_id"
# Where anything of a machine's own is kept, but for its images.
PLACES = "/etc /home /opt /root /run /srv /tmp /usr/local /var/lib/cloud /var/log /var/tmp"
NAMES = ("clone1", "clone2")
Say = Callable[[str], None]


def run(named: str) -> list[Clone]:
    """Boot two clones of the image of that name, or of the newest, with the sandbox around them."""

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    image, up = bake.image(named, say), world.up(say)
    return test(image, trial.settings(say, up=up), up, say)


def test(image: Path, settings: Settings, world: World, say: Say) -> list[Clone]:
    """Boot two clones of an image and see what they must be.

    Args:
        image: the qcow2 file; it is not written to.
        settings: those that it was baked with; `golden` says how large its machines are.
        world: the sandbox, whose GitLab they register with.
        say: told where it is.

    Returns:
        Both, switched off.

    Raises:
        KitError: something is not as it must be; with the console's last lines.
    """
    client = Client(world.gitlab_url, world.api_token)
    wanted = provision.wanted(settings)
    registers = first_boot.registering_runner(wanted)
    token = client.new_runner(TAG, tag_list=TAG) if registers else ""
    folder = image.with_suffix(".test")
    shutil.rmtree(folder, ignore_errors=True)
    clones: list[Clone] = []

    def comes_up(clone: Clone) -> None:
        _starts(clone, say)
        if registers:
            _goes_online(clone, client, settings, say)

    patience = 0.0  # of what failed, or was interrupted, nothing is of use
    with ThreadPoolExecutor() as pool:
        try:
            clones.extend(
                switch_on(name, image, folder / name, settings, world, token) for name in NAMES
            )
            list(pool.map(comes_up, clones))
            _differ(clones)
            if registers:
                _jobs(clones, client, say)
                list(pool.map(lambda clone: _wiped(clone, token, wanted), clones))
                say("each has wiped its token")
            else:
                _handed(clones, wanted, say)
            patience = 60.0
        finally:  # threads that still wait for a machine end with it
            with ThreadPoolExecutor() as stopping:
                list(stopping.map(lambda clone: clone.vm.stop(patience), clones))
            client.forget_runners(TAG)
    shutil.rmtree(folder)
    return clones


def _starts(clone: Clone, say: Say) -> None:
    answers(clone)
    say(f"{clone.name} answers SSH after {clone.times['ssh']} s")
    clone.until("docker info >/dev/null 2>&1", "has no Docker")
    clone.reached("docker")
    say(f"{clone.name} has Docker after {clone.times['docker']} s")
    clone.identities = {
        "machine id": clone.run("cat /etc/machine-id"),
        "host key": clone.run("cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub"),
    }


def _goes_online(clone: Clone, client: Client, settings: Settings, say: Say) -> None:
    path = shlex.quote(f"{settings.manager.config_dir}/{IDENTITY}")
    clone.until(f"[ -s {path} ]", "has not registered")
    clone.identities["system id"] = clone.run(f"cat {path}")
    until = time.monotonic() + PATIENCE
    while clone.identities["system id"] not in online(client):
        if time.monotonic() > until:
            raise KitError(
                f"{clone.name} is not online after {PATIENCE:.0f} s: {clone.vm.tail(3)}",
                f"see its console, {clone.vm.console}, and journalctl -u runnerkit-first-boot in it",
            )
        time.sleep(0.2)
    clone.reached("online")
    say(f"{clone.name} is online after {clone.times['online']} s")


def online(client: Client) -> set[str]:
    """The managers that asked for jobs."""
    found = client.runners(TAG)
    return {one["system_id"] for runner in found for one in runner["managers"]}


def _differ(clones: list[Clone]) -> None:
    for what in clones[0].identities:
        found = [clone.identities[what] for clone in clones]
        if not all(found) or len(set(found)) < len(found):
            raise KitError(f"the clones share one {what}: {found[0]}", "bake the image anew")


def _jobs(clones: list[Clone], client: Client, say: Say) -> None:
    """A job on each, at the same time: held until the other runs too."""
    numbers = [client.queue(HELD, tags=[TAG]) for _ in clones]
    held, states, until = clones, [""], time.monotonic() + PATIENCE
    while set(states) != {"success"}:
        jobs = [client.job(number) for number in numbers]
        states = [job["state"] for job in jobs]
        for job in jobs:
            if job["state"] in ("failed", "canceled"):
                last = plain(job["trace"]).strip().rpartition("\n")[2]
                raise KitError(
                    f"a clone's job {job['state']}: {last}", "correct what the image lacks"
                )
        if time.monotonic() > until:
            raise KitError(
                f"the clones do not run a job each: {', '.join(states)}", "see their managers' logs"
            )
        if len({job["system_id"] for job in jobs} - {None}) == len(clones):
            held = [clone for clone in held if clone.run(LET_GO) != "gone"]
        time.sleep(0.2)
    say("each ran a job")


def _wiped(clone: Clone, token: str, want: Want) -> None:
    """Where user data and cloud-init left it; the manager's own file alone has it."""
    state = "systemctl show -p ActiveState --value runnerkit-first-boot"
    clone.until(f"{state} | grep -qE '^(inactive|failed)$'", "has not wiped its token")
    held = clone.run(f"printf %s {token} | grep -rlaF -f - {PLACES} 2>/dev/null; :").split()
    if held != [want.config]:
        raise KitError(
            f"{clone.name} has its token in {' '.join(held) or 'no file'}, not in {want.config} alone",
            "see journalctl -u runnerkit-first-boot in it; this is a fault of the kit",
        )


def _handed(clones: list[Clone], want: Want, say: Say) -> None:
    """What a manager elsewhere does: log in as the image's user, and run a job."""
    for clone in clones:
        clone.run(f'[ ! -e {shlex.quote(want.config)} ] && [ -z "$(docker ps -aq)" ]')
        with clone.login(want.golden.user) as connection:
            for runner in want.runners:
                job = (
                    f"docker run --rm --network none --entrypoint true {shlex.quote(runner.image)}"
                )
                command = job if runner.image else "git --version && gitlab-runner --version"
                with translated(clone.name):
                    ran = connection.run(command, hide=True, warn=True, in_stream=False)
                if ran.failed:
                    raise KitError(
                        f"{clone.name}, {want.golden.user}: {command}: {ran.stderr.strip()[-300:]}",
                        "bake the image anew",
                    )
    say(f"each ran a job that was handed to {want.golden.user} over SSH")
