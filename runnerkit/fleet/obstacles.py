"""What is known to make a plan fail, asked of the host and of GitLab without a change."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runnerkit.errors import KitError
from runnerkit.machine.failure import Failed
from runnerkit.machine.machine import Machine
from runnerkit.plan import Change, Endpoint, Script, ServerCall
from runnerkit.redact import mask, plain
from runnerkit.want import Want

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server


def found(
    machine: Machine, server: "Callable[[], Server] | None", want: Want, pending: Sequence[Change]
) -> list[KitError]:
    """All of it; nothing is asked where nothing is pending.

    Args:
        machine: the host.
        server: GitLab's API, where there is a token for it.
        want: what the host should be.
        pending: the changes.
    """
    errors = []
    for question in _questions(machine, server, want, pending):
        try:
            question()
        except KitError as error:
            errors.append(error)
    return errors


def _questions(
    machine: Machine, server: "Callable[[], Server] | None", want: Want, pending: Sequence[Change]
) -> Iterator[Callable[[], object]]:
    for endpoint in dict.fromkeys(end for change in pending for end in change.reaches):
        yield partial(_reach, machine, endpoint)
    if server and any(isinstance(change, ServerCall) for change in pending):
        yield server().check
    scripts = [change for change in pending if isinstance(change, Script)]
    registers = {change.token for change in scripts}
    for runner in want.runners:
        if runner.token and runner.key in registers:
            from runnerkit.gitlab.server import check_token

            whose = f"{runner.spec.token}, runner {runner.key}"
            yield partial(check_token, want.url, runner.token, whose)
    yield from (partial(_try, machine, change) for change in scripts if change.trial)


def _reach(machine: Machine, endpoint: Endpoint) -> None:
    parts = urlsplit(endpoint.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not machine.reaches(parts.hostname or "", port):
        raise KitError(
            f"{endpoint.name} {endpoint.url} does not answer the host",
            f"{endpoint.fix}; nothing was changed",
        )


def _try(machine: Machine, change: Script) -> None:
    try:
        machine.run(change.trial)
    except Failed as error:
        raise KitError(
            f"{change.title} would fail: {mask(plain(error.what))}",
            "correct what the settings say of this file; nothing was changed",
        ) from None
