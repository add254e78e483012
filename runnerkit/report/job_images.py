"""Job images as people and programs read them: one row an image and host."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from runnerkit.fleet.job_images import ImageRow, Rows
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once, size
from runnerkit.report.tables import table

NONE = "-"


def built(outcomes: list[Outcome[Rows]]) -> Page:
    """What was built or sent; the exit code: 0 all done, 1 a host failed."""
    data = of.hosts(
        outcomes,
        of.changed,
        lambda one: {
            "changes": of.changes(one.changes),
            "images": [asdict(row) for row in one.result or ()],
        },
    )
    return _page(outcomes, data, ("image", "host", "state", "id", "size"), {})


def listed(outcomes: list[Outcome[Rows]]) -> Page:
    """The matrix of images and hosts; the exit code: 0, or 1 where a host failed."""
    contents: dict[str, set[str]] = defaultdict(set)
    rows = [row for one in outcomes for row in one.result or () if row.id]
    for row in rows:
        contents[row.image].add(row.content or row.id or "")
    differing = {name for name, known in contents.items() if len(known) > 1}
    stores = len({row.store for row in rows}) > 1
    data = of.hosts(
        outcomes,
        lambda one: "ok",
        lambda one: {
            "images": [
                {**asdict(row), "differs": row.image in differing} for row in one.result or ()
            ]
        },
    )
    heads = ("image", "host", "state", "id", "size", "age", "base")
    remarks = dict.fromkeys(differing, ", differs between hosts")
    if stores:  # the ids are then no measure
        return _page(outcomes, data, (*heads, "store"), remarks, _age, _base, _store)
    return _page(outcomes, data, heads, remarks, _age, _base)


def _page(
    outcomes: list[Outcome[Rows]],
    data: dict[str, object],
    heads: tuple[str, ...],
    remarks: dict[str, str],
    *more: Callable[[ImageRow], str],
) -> Page:
    lines = table(heads, sorted(_rows(outcomes, remarks, *more)))
    code = of.failed(outcomes)
    if not lines and not code:
        lines = ["no job images; write [images.NAME] in runnerkit.toml or add a folder"]
    return Page(lines, data, once(of.errors(outcomes)), code)


def _rows(
    outcomes: list[Outcome[Rows]], remarks: dict[str, str], *more: Callable[[ImageRow], str]
) -> Iterator[tuple[str, ...]]:
    for one in outcomes:
        for row in one.result or ():
            state = row.state + remarks.get(row.image, "")
            shown = [row.id.removeprefix("sha256:")[:12], size(row.bytes)] if row.id else [NONE] * 2
            shown += [cell(row) if row.id else NONE for cell in more]
            yield (row.image, one.host, state, *shown)


def _age(row: ImageRow) -> str:
    if row.created is None:
        return NONE
    age = datetime.now(UTC) - datetime.fromisoformat(row.created)
    if age > timedelta(days=2):
        return f"{age.days} days"
    minutes = int(age.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"


def _base(row: ImageRow) -> str:
    return ", ".join(
        f"{name} {number.removeprefix('sha256:')[:12]}" for name, number in row.bases.items()
    )


def _store(row: ImageRow) -> str:
    return row.store
