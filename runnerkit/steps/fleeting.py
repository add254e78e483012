"""The plugins by which autoscalers reach their clouds are where an upgrade does not lose them.

The official program fetches them, in a container that ends with it, before config.toml names them;
those of a bundle it fetched when that was made. What it says that it found is written beside the
versions of each, so that it goes with them.
"""

import json
from collections.abc import Iterator

from runnerkit.bundle import supply
from runnerkit.bundle.contents import ALGORITHM
from runnerkit.bundle.reading import Bundle
from runnerkit.facts import Facts, Needs
from runnerkit.place import BUNDLE
from runnerkit.plan import Change, Hint, Script, Supply
from runnerkit.settings import autoscaler
from runnerkit.templates import render
from runnerkit.want import Want

NO_COMMAND = (
    "this gitlab-runner cannot install plugins (16.11 and later can, the sandbox's stand-in cannot): "
    "name another [manager] image, or put a binary on the host into fleeting/ of [manager] "
    f"config_dir, and name it as plugin: {autoscaler.PLUGINS}/…"
)
UNREACHED = (
    "the host cannot reach the plugin's registry: give [manager] environment a proxy, or name the "
    'plugin in a registry that it reaches: plugin = "registry.example.com/plugins/aws:1"'
)
HINTS = (
    Hint("fleeting not found", NO_COMMAND),
    Hint(
        "(?i)unauthorized|denied|manifest.unknown|name.unknown|no matching|not found: http",
        "the registry has no such plugin or version, or wants a login: correct plugin",
    ),
    Hint("no such host|refused|timeout|unreachable|network|deadline", UNREACHED),
    Hint("", "see what gitlab-runner says above of the plugin"),
)


def needs(want: Want) -> Needs:
    return Needs(files=tuple(mark(want, plugin) for plugin in plugins(want)))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    for plugin in plugins(want):
        if want.bundle:
            yield from _bundled(want, have, plugin, want.bundle)
        elif mark(want, plugin) not in have.files:
            text = script(want, plugin)
            yield Script(f"install the fleeting plugin {plugin}", text, hints=HINTS)


def _bundled(want: Want, have: Facts, plugin: str, bundle: Bundle) -> Iterator[Script]:
    """What the bundle has, where the host has not that very version of it."""
    found, there = supply.plugin(bundle, plugin), have.files.get(mark(want, plugin))
    if there and there.text == found.note:
        return
    parts = {place: bundle.contents.parts[name] for place, name in found.files.items()}
    text = render(
        "bundle-plugin.sh.j2",
        config_dir=want.manager.config_dir,
        bundle=BUNDLE,
        files={place: part.digest.removeprefix(ALGORITHM) for place, part in parts.items()},
        mark=note(plugin),
        note=found.note,
    )
    title = f"install the fleeting plugin {plugin} from the bundle"
    yield Script(title, text, supply=Supply(bundle, found.files))


def script(want: Want, plugin: str, container: str = "") -> str:
    """What has the official program fetch a plugin.

    Args:
        want: whose manager it is for.
        plugin: as the settings name it.
        container: where it stays, in a container of that name; "" for the manager's folder.
    """
    return render(
        "fleeting.sh.j2",
        want=want,
        config=f'[[runners]]\nexecutor = "instance"\n[runners.autoscaler]\nplugin = {json.dumps(plugin)}\n',
        mark=note(plugin),
        container=container,
    )


def plugins(want: Want) -> tuple[str, ...]:
    """The plugins of the host's runners that come from a registry."""
    named = [runner.spec.autoscaler.get("plugin", "") for runner in want.runners]
    return tuple(dict.fromkeys(plugin for plugin in named if autoscaler.published(plugin)))


def mark(want: Want, plugin: str) -> str:
    """The file, on the host, that says that the plugin is there in the version that is named."""
    return f"{want.manager.config_dir}/{note(plugin)}"


def note(plugin: str) -> str:
    """The same below the manager's folder."""
    version = plugin.rpartition("/")[2].partition(":")[2] or "latest"
    return f"fleeting/{autoscaler.folder(plugin)}/installed-{version}"
