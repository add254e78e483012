"""Docker from the packages of a bundle: the host is sent those that its own package manager lacks."""

from runnerkit.bundle import supply
from runnerkit.bundle.contents import ALGORITHM
from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError
from runnerkit.facts import Facts, distributions
from runnerkit.files import memory
from runnerkit.files.package_hints import INSTALL_HINTS
from runnerkit.place import BUNDLE
from runnerkit.plan import Script, Supply
from runnerkit.templates import render


def script(bundle: Bundle, have: Facts, source: str) -> Script:
    """The change; it also completes what a run that was cut off left half installed.

    Args:
        bundle: the bundle.
        have: the host, which has no Docker.
        source: whose Docker the settings want.

    Raises:
        KitError: the bundle is for other systems, or has another's Docker.
    """
    found, row = supply.packages(bundle, have), distributions.of(have.os, have.ostree)
    if found.source != source:
        what = f'{bundle.file} has Docker for {found.system} of source "{found.source}"'
        fix = f'set [docker] source = "{found.source}", or {supply.ANEW}'
        raise KitError(f'{what}; [docker] source is "{source}"', fix)
    words = {
        "packages": " ".join(found.names),
        "folder_of_bundle": BUNDLE,
        "notes": memory.FOLDER,
        "manager": row.manager,
    }
    parts = {name: bundle.contents.parts[part] for name, part in found.files.items()}
    text = render(
        "install-docker.sh.j2",
        source="distro",
        files={name: part.digest.removeprefix(ALGORITHM) for name, part in parts.items()},
        start=render("start-docker.sh.j2", verb="start"),
        **words,
    )
    asks = render("bundle-lacking.sh.j2", index=found.index, **words)
    title = f"install Docker (the bundle's, {distributions.name(have.os)})"
    return Script(title, text, hints=INSTALL_HINTS, supply=Supply(bundle, found.files, asks))
