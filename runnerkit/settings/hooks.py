"""Programs of the user's around what changes hosts."""

from typing import Annotated

import msgspec
from msgspec import Meta

from runnerkit.settings import durations

Words = tuple[Annotated[str, Meta(min_length=1)], ...]


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Programs that are run on this machine, before and after whatever changes hosts: a chat is told, an
    alert silenced, a change refused. Each is given the event as JSON on its stdin, and no secret in it."""

    before: Words = ()
    """A program and its arguments. Where it fails, no host is touched: `["./may-change", "--strict"]`."""
    after: Words = ()
    """A program and its arguments, which is told how every host fared. Where it fails, nothing is
    undone, and the exit code is 1."""
    time_limit: Annotated[int, durations.of(durations.SECONDS, 1)] = 60
    """How long each may take; then it is ended, and has failed."""
