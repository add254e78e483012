"""The audit trail of a host as it is read: what can be, and of the rest how much there is."""

import json
from dataclasses import dataclass
from typing import Any

from runnerkit.files.audit import FILE
from runnerkit.redact import mask

TEXTS = ("at", "login", "from", "verb", "change", "operator", "settings", "digest", "commit")
# The older file first. What is no file, or cannot be read, is told in the words of the system.
SCRIPT = f"""echo "now: $(date +%s)"
for file in {FILE}.1 {FILE}; do
  [ -e "$file" ] || [ -L "$file" ] || continue
  [ -z "$(tail -c 1 "$file" 2>/dev/null)" ] && end= || end=y
  cat "$file" 2>/dev/null || echo "unread: $(cat "$file" 2>&1 >/dev/null | head -n 1)"
  [ -z "$end" ] || echo
done
echo end"""


@dataclass(frozen=True)
class AuditEntry:
    """A change as the host's trail has it; `at` is the host's clock, of RFC 3339 in UTC.

    `operator`, and all that is said of settings, is what the operator's machine said.
    """

    at: str
    login: str
    address: str
    code: int
    verb: str
    change: str
    operator: str
    settings: str
    digest: str
    commit: str


@dataclass(frozen=True)
class Trail:
    """What a host's trail holds, and what of it cannot be read; `now` is the host's clock."""

    entries: tuple[AuditEntry, ...] = ()
    damaged: int = 0
    unread: tuple[str, ...] = ()
    now: int = 0


def parse(text: str) -> Trail:
    """What the script printed."""
    first, *rest = text.split("\n")
    if rest[-2:] == ["end", ""]:
        del rest[-2:]
    now = first.removeprefix("now: ")
    unread = [line.removeprefix("unread: ") for line in rest if line.startswith("unread: ")]
    found = [_entry(line) for line in rest if line and not line.startswith("unread: ")]
    entries = tuple(one for one in found if one)
    return Trail(
        entries, len(found) - len(entries), tuple(unread), int(now) if now.isdecimal() else 0
    )


def _entry(line: str) -> AuditEntry | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("change"), str):
        return None
    code: Any = data.get("code")
    texts = {key: mask(str(data.get(key) or "")) for key in TEXTS}
    texts["address"] = texts.pop("from")
    return AuditEntry(code=code if type(code) is int else 1, **texts)
