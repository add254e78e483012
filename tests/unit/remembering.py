"""Hosts with a memory of what settings said."""

import re
from base64 import b64decode
from dataclasses import replace
from typing import Any

from runnerkit import converge
from runnerkit.facts import Facts, File
from runnerkit.files import memory, record
from runnerkit.plan import Change, Script
from runnerkit.want import Want
from tests.unit.build import GOOD, converged, want


def ours(origin: str = "mine", **data: Any) -> Want:
    return replace(want(**data), origin=origin)


def remembered(have: Facts, said: Want, *registered: str) -> Facts:
    """The host with the memory of what these settings said."""
    one = record._record(said, have)
    for key in registered:
        one.runners[key].registered = True
    known = {**memory.parsed(have).settings, said.origin: one}
    file = File(memory.written(memory.Memory(settings=known)).encode(), 0o600, 1)
    return replace(have, files={**have.files, memory.PATH: file})


def without_token(said: Want) -> Want:
    return replace(said, runners=tuple(replace(one, token=None) for one in said.runners))


def content(write: Change) -> str:
    """What a change writes."""
    assert isinstance(write, Script)
    found = re.search(r"<<'NEW'\n(.*?)NEW\n", write.text, re.DOTALL)
    assert found
    return b64decode(found[1]).decode()


def plan(wanted: Want, have: Facts) -> list[Change]:
    return converge.plan(wanted, have)


def entry(text: str) -> Facts:
    """A converged host whose runner has that in its entry, and in its table for docker."""
    first, _, second = text.partition("|")
    config = GOOD.replace("  executor", f"  {first}\n  executor") if first else GOOD
    return converged(config + (f"    {second}\n" if second else ""))
