"""An autoscaler's plugins for a bundle: fetched by the official program itself, as a host would."""

from collections.abc import Iterator
from functools import partial

from runnerkit.bundle.contents import BundledPlugin
from runnerkit.bundle.writing import CHUNK, Depot
from runnerkit.events import Detail
from runnerkit.fleet.bundles.gathering import container_files
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
        text = fleeting.script(want, plugin, CONTAINER)
        title = f"fetch the fleeting plugin {plugin}"
        script = Script(title, text, hints=fleeting.HINTS, recorded=False)
        note, files = "", {}
        with container_files(host, want, script, CONTAINER, PLUGINS) as found:
            for place, content in found:
                if f"fleeting/{place}" == fleeting.note(plugin):
                    note = content.read().decode()
                else:
                    files[place] = f"plugins/{place}"
                    depot.add(files[place], iter(partial(content.read, CHUNK), b""))
        yield BundledPlugin(plugin, files, note)
