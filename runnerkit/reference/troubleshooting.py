"""docs/en/troubleshooting.md, from findings, from hints of what changes hosts, and from sudo's words."""

import inspect
import pkgutil
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from runnerkit import actions, checks, engine, files, gitlab, steps
from runnerkit.checks.finding import Kind
from runnerkit.checks.jobs import messages
from runnerkit.fleet import obstacles
from runnerkit.fleet.clearing import ghosts
from runnerkit.fleet.health import doctor
from runnerkit.machine import login, sudo
from runnerkit.plan import CAUSES, Hint

HEAD = """# Troubleshooting

<!-- Made by `nox -s docs` from runnerkit/, where each of these stands. Change it there. -->

Every error has two lines: what failed, where and why; and what to do next, after `fix:`. A note says
what is not as the settings say, and is not the kit's to change. After the fix, run the same command
again: it goes on from where it was. `./inv plan --host HOST` shows what is left to do, and changes
nothing.

- [What is found](#what-is-found)
- [When a change fails](#when-a-change-fails)
- [What logs say](#what-logs-say)
- [When sudo refuses](#when-sudo-refuses)

## What is found

What stands *so* differs from host to host. With `--json`, a note has its code too, which stays the
same for ever.
"""
FAILS = """## When a change fails

The first line then ends in what the host printed. What it holds tells what to do: first what may
befall any change, then what each knows besides.
"""
LOGS = """## What logs say

`./inv doctor --message TEXT` looks a line up here, or a whole log; `--job ID` the log of a job. The
first that fits a line is taken, in any case of its letters.
"""
SUDO = """## When sudo refuses

Everything on a host is done as root, so the user who logs in must be root or have sudo.
"""


def page() -> str:
    """The whole page, as it is kept in docs/en/troubleshooting.md."""
    found = [
        block
        for one in (*_checks(), obstacles, ghosts, doctor)
        if one is not messages
        for block in _findings(one)
    ]
    rooms = (steps, actions, files, engine, gitlab)
    failed = [block for room in rooms for module in _modules(room) for block in _hints(module)]
    words = [
        (f"`{one.kind.code}`", _words(one.pattern), one.kind.what, one.kind.fix)
        for one in (*messages.MESSAGES, messages.OWN)
    ]
    logs = _table(("code", "it holds", "cause", "fix"), words)
    refused = _table(("what", "fix"), [(what, fix) for _, what, fix in sudo.REFUSALS])
    return "\n".join(
        [HEAD, *found, FAILS, _rows(CAUSES), *failed, *_hints(login), LOGS, logs, SUDO, refused]
    )


def _modules(room: ModuleType) -> Iterator[ModuleType]:
    names = sorted(each.name for each in pkgutil.iter_modules(room.__path__))
    yield from (import_module(f"{room.__name__}.{name}") for name in names)


def _checks() -> Iterator[ModuleType]:
    """Those of every room, by their own names."""
    rooms = [one for one in _modules(checks) if hasattr(one, "__path__")]
    found = [module for room in rooms for module in _modules(room)]
    yield from sorted(found, key=lambda one: one.__name__.rpartition(".")[2])


def _findings(module: ModuleType) -> Iterator[str]:
    kinds: tuple[Kind, ...] = getattr(module, "KINDS", ())
    if kinds:
        rows = [
            (f"`{kind.code}`", kind.level.value, _named(kind.what), _named(kind.fix))
            for kind in kinds
        ]
        yield _about(module) + _table(("code", "level", "what", "fix"), rows)


def _hints(module: ModuleType) -> Iterator[str]:
    named = {name: hints for name, hints in vars(module).items() if name.endswith("HINTS")}
    for number, (name, hints) in enumerate(named.items()):
        verb = name.removesuffix("HINTS").strip("_").lower()
        yield (
            ("" if number else _about(module)) + (f"To {verb}:\n\n" if verb else "") + _rows(hints)
        )


def _rows(hints: Sequence[Hint]) -> str:
    rows = [(_pattern(hint.pattern), hint.fix) for hint in hints]
    return _table(("it holds", "fix"), rows)


def _about(module: ModuleType) -> str:
    name = module.__name__.rpartition(".")[2].replace("_", " ")
    sentence = (inspect.getdoc(module) or "").split("\n")[0].split(". ")[0].rstrip(".")
    return f"### {name}\n\n{sentence}.\n\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_escaped, row))} |\n" for row in cells)


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|").replace("<", "&lt;")


def _named(text: str) -> str:
    """The text with the names of what differs in the places of it."""
    return re.sub(r"{(\w+)}", lambda name: f"*{name[1].replace('_', ' ')}*", text)


def _words(pattern: str) -> str:
    """The words of a message, without how many letters may stand between them."""
    return _pattern(re.sub(r"(?:\.|\\S)\{\d+,\d+\}", "…", pattern).replace("(?:", "("))


def _pattern(pattern: str) -> str:
    """What to look for, in words; the first that fits is taken."""
    parts = re.split(r"\|(?![^(]*\))", pattern.removeprefix("(?i)"))  # not within a group
    return ", ".join(f"`{part}`" for part in parts) if pattern else "anything else"
