"""What is done once on a host, by actions in the place of steps: looked at, planned, applied."""

from collections.abc import Sequence
from dataclasses import dataclass

from runnerkit import converge
from runnerkit.facts import Facts
from runnerkit.fleet.host import Host
from runnerkit.plan import Change
from runnerkit.want import Want


@dataclass(frozen=True)
class Acted:
    """The host at the end; and in a dry run what would have been changed."""

    have: Facts
    pending: tuple[Change, ...] = ()


def act(host: Host, want: Want, actions: Sequence[converge.Step], dry: bool) -> Acted:
    """Do what the actions have planned, until they plan nothing more.

    Args:
        host: the host.
        want: what it should be.
        actions: each says what it must know, and what is left to do.
        dry: only plan.
    """
    if dry:
        have = converge.look(host, want, actions)
        return Acted(have, tuple(converge.plan(want, have, actions)))
    return Acted(converge.apply(host, want, actions))
