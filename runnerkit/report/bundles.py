"""What a bundle holds, shown."""

from collections.abc import Iterator

from runnerkit.bundle.contents import Contents, blob
from runnerkit.bundle.reading import Bundle
from runnerkit.fleet.bundles.make import Made
from runnerkit.fleet.bundles.push import Pushed
from runnerkit.fleet.run import Outcome
from runnerkit.printable import counted
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, advice, once, size
from runnerkit.report.tables import table

Row = tuple[str, str, str, int]


def made(outcome: Outcome[Made]) -> Page:
    """What was made; the exit code: 0, or 1 where it failed."""
    return written(outcome.result) if outcome.result else _failed(outcome)


def written(one: Made) -> Page:
    """The same of a file that no host had a part in."""
    data = {"file": str(one.file), "bytes": one.bytes, **_data(one.contents)}
    parts = one.contents.parts.values()
    nothing = ["nothing in it is new"] if all(part.left_out for part in parts) else []
    return Page([*_table(one.contents), *nothing, f"{one.file}: {size(one.bytes)}"], data)


def pushed(outcome: Outcome[Pushed]) -> Page:
    """What is in the registry; the exit code: 0, or 1 where it failed."""
    if not outcome.result:
        return _failed(outcome)
    return Page(outcome.result.names, {"images": list(outcome.result.names)})


def _failed(outcome: Outcome[Made] | Outcome[Pushed]) -> Page:
    data = {"error": outcome.error, "fix": advice(outcome.fix, outcome.host)}
    return Page([], data, once(of.errors([outcome])), 1)


def listed(bundle: Bundle) -> Page:
    """Its list."""
    data = {
        "file": str(bundle.file),
        "digest": bundle.digest,
        "signed": bool(bundle.signature),
        **_data(bundle.contents),
    }
    return Page(_table(bundle.contents), data)


def verified(bundle: Bundle, key: str) -> Page:
    """That it is whole."""
    parts = [one for one in bundle.contents.parts.values() if not one.left_out]
    number = sum(one.size for one in parts)
    by = "signed by that key" if key else "not asked who signed it"
    line = f"{bundle.file}: {counted(len(parts), 'part')}, {size(number)}, all as listed; {by}"
    data = {"file": str(bundle.file), "digest": bundle.digest, "parts": len(parts), "key": key}
    return Page([line], data)


def _rows(contents: Contents) -> Iterator[Row]:
    """Kind, name, digest, and the bytes that it alone brings, each blob once."""
    known: set[str] = set()
    for image in contents.images:
        names = {*map(blob, image.blobs)} - known
        known |= names
        kind = "job image" if image.job else "image"
        yield kind, " ".join(image.names), image.manifest, _here(contents, names)
    for packages in contents.packages:
        number = counted(len(packages.files), "package")
        count = f"{packages.system}, {packages.source}: {number}"
        yield "packages", count, "", _here(contents, {*packages.files.values()})
    for plugin in contents.plugins:
        place, member = next(iter(plugin.files.items()), ("", ""))
        version = place.rpartition("/")[0].rpartition("/")[2]
        digest = contents.parts[member].digest if member else ""
        yield (
            "plugin",
            f"{plugin.name} {version}",
            digest,
            _here(contents, {*plugin.files.values()}),
        )
    if contents.wheels:
        yield (
            "kit",
            counted(len(contents.wheels), "library"),
            "",
            _here(contents, {*contents.wheels}),
        )


def _here(contents: Contents, names: set[str]) -> int:
    return contents.bytes([name for name in names if not contents.parts[name].left_out])


def _table(contents: Contents) -> list[str]:
    rows = [
        (kind, name, digest[7:19], size(number)) for kind, name, digest, number in _rows(contents)
    ]
    base = [f"only what is new against {contents.base}"] if contents.base else []
    head = f"for {contents.architecture}, made {contents.made} by runnerkit {contents.kit}"
    return [head, *base, *table(("part", "name", "digest", "size"), rows)]


def _data(contents: Contents) -> dict[str, object]:
    return {
        "kit": contents.kit,
        "made": contents.made,
        "architecture": contents.architecture,
        "base": contents.base,
        "systems": [one.system for one in contents.packages],
        "rows": [
            {"part": kind, "name": name, "digest": digest, "bytes": number}
            for kind, name, digest, number in _rows(contents)
        ],
    }
