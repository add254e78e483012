"""What every refusal owes its reader, and how a host is shown to be untouched by it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.world import BlankHost
from tests.hosts.kit import Kit, Ran

ERROR = re.compile(r"^error: (.+)$", re.MULTILINE)
FIX = re.compile(r"^  fix: (.+)$", re.MULTILINE)
STATE = """
find /etc/docker /srv -printf '%p %m %s %T@\\n' 2>/dev/null | sort
find /etc/docker /srv -type f -exec md5sum {} + 2>/dev/null | sort
dpkg -l
command -v docker >/dev/null || exit 0
docker ps -a --no-trunc --format '{{.ID}} {{.Image}} {{.State}}'
docker images -a --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort
docker info --format '{{.RegistryConfig.Mirrors}}'
cat /var/run/docker.pid
"""


def assert_error(kit: Kit, ran: Ran, *parts: str, code: int = 1, fix: str = "") -> str:
    """The one error of a run: in one line, with what to do in another, and without a token."""
    output = ran.out + ran.err
    assert ran.code == code, output
    errors, fixes = ERROR.findall(ran.err), FIX.findall(ran.err)
    assert (len(errors), len(fixes)) == (1, 1), output
    ((error,), (advice,)) = errors, fixes
    for part in parts:
        assert part in ran.err, f"{part!r} is not in: {ran.err}"
    assert fix in advice, advice
    world = kit.world
    secrets = [world.api_token, world.create_token, world.registration_token, world.expired_token]
    secrets += [
        value for name, value in kit.env.items() if re.search("TOKEN|PASSWORD|SECRET", name)
    ]
    shown = [secret for secret in secrets if secret and secret in output]
    assert not shown, output
    assert not re.search("Traceback|this is a bug", output), output
    return str(error)


def refused(
    kit: Kit,
    host: BlankHost,
    *parts: str,
    task: str = "bootstrap",
    typed: tuple[str, ...] = (),
    **how: Any,
) -> str:
    """Run the task on that host: refused, and neither the host nor GitLab has changed."""
    before, runners = SEEN.get(host) or state(kit, host), kit.gitlab.runners()
    ran = kit.run(task, "--host", "all", *typed)
    error = assert_error(kit, ran, *parts, **how)
    after = SEEN[host] = state(kit, host)
    assert after == before, f"changed: {set(after) ^ set(before)}"
    assert [one["id"] for one in kit.gitlab.runners()] == [one["id"] for one in runners]
    return error


SEEN: dict[BlankHost, list[str]] = {}  # as the last test left it


def state(kit: Kit, host: BlankHost) -> list[str]:
    """What a run could change on a host."""
    return kit.ssh(host, STATE).splitlines()


@contextmanager
def changed(kit: Kit, host: BlankHost, do: str, undo: str) -> Iterator[None]:
    """A host with something wrong, and put right after."""
    SEEN.pop(host, None)
    kit.ssh(host, f"set -e\n{do}")
    try:
        yield
    finally:
        SEEN.pop(host, None)
        kit.ssh(host, f"set -e\n{undo}")


@contextmanager
def held(kit: Kit, host: BlankHost, command: str) -> Iterator[subprocess.Popen[str]]:
    """A command on the host that has said a line and lasts until its stdin ends."""
    known = f"UserKnownHostsFile={kit.world.state}/known_hosts"
    ssh = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", known, "-i", str(host.key)]
    with subprocess.Popen(
        [*ssh, f"root@{host.address}", command], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline()
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
