"""Job images as people and programs read them: one row an image and host."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from runnerkit.fleet import Outcome
from runnerkit.report import data, errors, table


def built(outcomes: list[Outcome], json: bool) -> int:
    """Show what was built or sent; the exit code: 0 all done, 1 a host failed."""
    return _show(outcomes, json, ("image", "host", "state", "id", "size"), _rows(outcomes))


def listed(outcomes: list[Outcome], json: bool) -> int:
    """Show the matrix of images and hosts; the exit code: 0, or 1 where a host failed."""
    ids: dict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        for row in outcome.images:
            if row["id"]:
                ids[row["image"]].add(row["id"])
    for outcome in outcomes:
        for row in outcome.images:
            row["differs"] = len(ids[row["image"]]) > 1
    heads = ("image", "host", "state", "id", "size", "age", "base")
    return _show(outcomes, json, heads, _rows(outcomes, _age, _base))


def pruned(outcomes: list[Outcome], json: bool) -> int:
    """Show what went, or would go, and what that freed; the exit code: 0, or 1 where a host failed."""
    if json:
        data(outcomes)
        return int(any(outcome.error for outcome in outcomes))
    rows = []
    for outcome in outcomes:
        found = outcome.pruned
        if not found:
            continue
        for verb, items in (("removed", found["removed"]), ("would remove", found["pending"])):
            for item in items:
                print(
                    f"{outcome.host}  {verb} {item['kind']} {item['name']}  {_size(item['bytes'])}"
                )
        outcome.notes = list(found["notes"])
        gone = str(len(found["removed"]))
        disk = f"{found['before']}% → {found['after']}%"
        rows.append((outcome.host, gone, _size(found["freed"]), disk))
    if rows:
        table(("host", "removed", "freed", "disk in use"), rows)
    errors(outcomes)
    return int(any(outcome.error for outcome in outcomes))


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _show(
    outcomes: list[Outcome], json: bool, heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]
) -> int:
    if json:
        data(outcomes)
    else:
        found = sorted(rows)
        if found:
            table(heads, found)
        elif not any(outcome.error for outcome in outcomes):
            print("no job images; write [images.NAME] in runnerkit.toml or add a folder")
        errors(outcomes)
    return int(any(outcome.error for outcome in outcomes))


def _rows(outcomes: list[Outcome], *more: Any) -> Iterator[tuple[str, ...]]:
    for outcome in outcomes:
        for row in outcome.images:
            state = row["state"] + (", differs between hosts" if row.get("differs") else "")
            if not row["id"]:
                yield (row["image"], outcome.host, state, "-", "-", *("-" for _ in more))
                continue
            number = row["id"].removeprefix("sha256:")[:12]
            size = _size(row["bytes"])
            yield (row["image"], outcome.host, state, number, size, *(one(row) for one in more))


def _age(row: dict[str, Any]) -> str:
    age = datetime.now(UTC) - datetime.fromisoformat(row["created"])
    if age > timedelta(days=2):
        return f"{age.days} days"
    minutes = int(age.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"


def _base(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {number.removeprefix('sha256:')[:12]}" for name, number in row["bases"].items()
    )
