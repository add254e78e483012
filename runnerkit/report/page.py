"""What a verb shows: a table for people or JSON for programs, what is noted, and an exit code."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runnerkit.errors import KitError
from runnerkit.place import typed
from runnerkit.printable import hanging, in_one_line, printable

SCHEMA = 1  # of the JSON; it grows when a field goes or means something else
NAMED = 5  # hosts; of more only some are named
GITLAB = "GitLab"  # stands in the place of a host's name


@dataclass(frozen=True)
class Page:
    """`lines` go to stdout, or in their place `data`, or `records` one a line; `messages`, for people
    alone, to stderr."""

    lines: Sequence[str]
    data: Mapping[str, object]
    messages: Sequence[str] = ()
    code: int = 0
    records: Sequence[Mapping[str, object]] | None = None

    def show(self, as_json: bool) -> int:
        """Print it, and return the exit code, which tells how the hosts fared whoever reads on.

        Raises:
            KitError: what stdout goes to cannot take it.
        """
        data = [{"schema": SCHEMA, **one} for one in self.records or ()]
        if self.records is None:
            texts = [json.dumps({"schema": SCHEMA, **self.data}, indent=2)]
        else:
            texts = [json.dumps(one) for one in data]
        try:
            for line in map(printable, texts) if as_json else map(in_one_line, self.lines):
                print(line)
            sys.stdout.flush()
        except BrokenPipeError:
            discard(1)
        except OSError as error:
            discard(1)
            raise KitError(
                f"the output cannot be written: {error.strerror}",
                "make room where it goes; the work on the hosts is done",
            ) from None
        for message in () if as_json else self.messages:
            note(message)
        return self.code


def note(line: str) -> None:
    """A line on stderr, whole where many write; that nobody takes it does not end the work."""
    try:
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()
    except OSError:
        discard(2)


def discard(stream: int) -> None:
    """Let what is left for it go nowhere, or Python would tell of it at its end, by its exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def size(number: int) -> str:
    """Bytes, as people read them."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def once(messages: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """What many hosts have to say alike, once and with their names.

    Args:
        messages: what each is (note, error), its host, what it says and the fix.
    """
    hosts: dict[tuple[str, str, str], dict[str, None]] = {}
    for kind, host, what, fix in messages:
        hosts.setdefault((kind, what, fix), {})[host] = None
    lines = []
    for (kind, what, fix), names in hosts.items():
        lines.append(hanging(f"{kind}: {_named(list(names))}: {what}"))
        lines += [hanging(f"  fix: {advice(fix, *names)}")] if fix else []
    return lines


def advice(fix: str, *hosts: str) -> str:
    """A fix as it is typed for these hosts, which it calls HOST; for GitLab it stays so."""
    named = hosts and GITLAB not in hosts
    return typed(fix.replace("--host HOST", f"--host {','.join(hosts)}") if named else fix)


def _named(hosts: list[str]) -> str:
    if len(hosts) <= NAMED:
        return ", ".join(hosts)
    return f"{', '.join(hosts[: NAMED - 2])} and {len(hosts) - NAMED + 2} more"
