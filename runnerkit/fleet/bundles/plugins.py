"""An autoscaler's plugins for a bundle: fetched by the official program itself, as a host would."""

import tarfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from runnerkit.bundle.contents import BundledPlugin
from runnerkit.bundle.writing import CHUNK, Depot, Pieces
from runnerkit.events import Detail
from runnerkit.fleet.host import Host
from runnerkit.plan import Script
from runnerkit.settings.autoscaler import PLUGINS
from runnerkit.steps import fleeting
from runnerkit.want import Want

CONTAINER = "runnerkit-plugin"


def gathered(host: Host, want: Want, depot: Depot) -> Iterator[BundledPlugin]:
    """Put the plugins of all runners into a depot, each in the version that a host would get.

    Args:
        host: the one that has the manager's image, and reaches the plugins' registry.
        want: what hosts shall be.
        depot: where they go.

    Raises:
        KitError: one is not to be had.
    """
    for plugin in fleeting.plugins(want):
        host.tell(Detail(f"the fleeting plugin {plugin}"))
        title, text = (
            f"fetch the fleeting plugin {plugin}",
            fleeting.script(want, plugin, CONTAINER),
        )
        try:
            host.script(want, Script(title, text, hints=fleeting.HINTS, recorded=False))
            yield _plugin(host, depot, plugin, title)
        finally:
            with suppress(Exception):  # what went wrong before says more
                host.engine.remove_container(CONTAINER, v=True, force=True)


def _plugin(host: Host, depot: Depot, plugin: str, title: str) -> BundledPlugin:
    from runnerkit.engine import failure

    note, files = "", {}
    with (
        failure.translated(title),
        tarfile.open(
            fileobj=Pieces(host.engine.get_archive(CONTAINER, PLUGINS)[0]), mode="r|"
        ) as archive,
    ):
        for member in archive:
            place = member.name.partition("/")[2]
            content = archive.extractfile(member) if member.isfile() else None
            if content and f"fleeting/{place}" == fleeting.note(plugin):
                note = content.read().decode()
            elif content:
                files[place] = f"plugins/{place}"
                depot.add(files[place], iter(partial(content.read, CHUNK), b""))
    return BundledPlugin(plugin, files, note)
