"""The plugins by which autoscalers reach their clouds are where an upgrade does not lose them.

The official program fetches them, in a container that ends with it, before config.toml names them.
What it says that it found is written beside the versions of each, so that it goes with them.
"""

import json
from collections.abc import Iterator

from runnerkit.facts import Facts, Needs
from runnerkit.plan import Change, Hint, Script
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
        if mark(want, plugin) in have.files:
            continue
        text = render(
            "fleeting.sh.j2",
            want=want,
            config=f'[[runners]]\nexecutor = "instance"\n[runners.autoscaler]\nplugin = {json.dumps(plugin)}\n',
            mark=mark(want, plugin).removeprefix(want.manager.config_dir),
        )
        yield Script(f"install the fleeting plugin {plugin}", text, hints=HINTS)


def plugins(want: Want) -> tuple[str, ...]:
    """The plugins of the host's runners that come from a registry."""
    named = [runner.spec.autoscaler.get("plugin", "") for runner in want.runners]
    return tuple(dict.fromkeys(plugin for plugin in named if autoscaler.published(plugin)))


def mark(want: Want, plugin: str) -> str:
    """The file, on the host, that says that the plugin is there in the version that is named."""
    version = plugin.rpartition("/")[2].partition(":")[2] or "latest"
    return f"{want.manager.config_dir}/fleeting/{autoscaler.folder(plugin)}/installed-{version}"
