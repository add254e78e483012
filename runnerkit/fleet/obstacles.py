"""What is known to make a plan fail, asked of the host and of GitLab without a change."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.errors import KitError
from runnerkit.machine.failure import Failed
from runnerkit.machine.machine import Machine
from runnerkit.plan import Change, Endpoint, Script, ServerCall, proxy
from runnerkit.redact import mask, plain
from runnerkit.want import Want

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server


CODE = "change-obstacle"
UNREACHED = Kind(
    CODE, Level.ERROR, "{what} {url} does not answer the host", "{fix}; nothing was changed"
)
REFUSED = Kind(CODE, Level.ERROR, "{what_GitLab_says_of_a_token}", "{fix}")
FAILS = Kind(
    CODE,
    Level.ERROR,
    "{change} would fail: {why}",
    "correct what the settings say of this file; nothing was changed",
)
KINDS = (UNREACHED, REFUSED, FAILS)


def findings(
    machine: Machine, server: "Callable[[], Server] | None", want: Want, pending: Sequence[Change]
) -> Iterator[Finding]:
    """All of it; nothing is asked where nothing is pending.

    Args:
        machine: the host.
        server: GitLab's API, where there is a token for it.
        want: what the host should be.
        pending: the changes.
    """
    reached = (_first(want, end) for change in pending for end in change.reaches)
    for endpoint in dict.fromkeys(reached):
        yield from _unreached(machine, endpoint)
    if server and any(isinstance(change, ServerCall) for change in pending):
        yield from _refused(server().check)
    scripts = [change for change in pending if isinstance(change, Script)]
    registers = {change.token for change in scripts}
    for runner in want.runners:
        if runner.token and runner.key in registers:
            from runnerkit.gitlab.runner_token import check_token

            whose = f"{runner.spec.token}, runner {runner.key}"
            yield from _refused(
                partial(check_token, want.url, runner.token, whose, want.network.ca)
            )
    for change in scripts:
        if change.trial:
            yield from _fails(machine, change)


def _first(want: Want, endpoint: Endpoint) -> Endpoint:
    """What must answer the host itself: the address, or the proxy before it."""
    return proxy(want.network.address) if want.network.through(endpoint.url) else endpoint


def _unreached(machine: Machine, endpoint: Endpoint) -> Iterator[Finding]:
    parts = urlsplit(endpoint.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not machine.reaches(parts.hostname or "", port):
        yield UNREACHED.found(what=endpoint.name, url=endpoint.url, fix=endpoint.fix)


def _refused(ask: Callable[[], None]) -> Iterator[Finding]:
    try:
        ask()
    except KitError as error:
        yield REFUSED.found(what_GitLab_says_of_a_token=error.what, fix=error.fix)


def _fails(machine: Machine, change: Script) -> Iterator[Finding]:
    try:
        machine.run(change.trial)
    except Failed as error:
        yield FAILS.found(change=change.title, why=mask(plain(error.what)))
