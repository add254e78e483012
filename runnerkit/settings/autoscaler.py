"""[runners.NAME.autoscaler]: GitLab's own autoscaler, which hands jobs to machines of a group.

Its keys go through to config.toml as they are. What is known to fail there is told here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

EXECUTORS = ("docker-autoscaler", "instance")
SHARED = "/etc/gitlab-runner"  # in the manager; the host has it as [manager] config_dir
PLUGINS = f"{SHARED}/fleeting"
PLUGIN_PATH = "FLEETING_PLUGIN_PATH"


def mistakes(data: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the autoscalers of a settings file that is well-formed, a line each."""
    runners = data.get("runners", {})
    scaled = {name: body for name, body in runners.items() if body.get("autoscaler")}
    for name, body in runners.items():
        yield from _runner(f"runners.{name}", body)
    users = [body.get("runners", scaled) for body in data.get("hosts", {}).values()] or [scaled]
    for names in {tuple(name for name in scaled if name in user) for user in users}:
        yield from _concurrent({name: scaled[name]["autoscaler"] for name in names}, data)
    yield from _shared(scaled, data.get("hosts", {}))
    if scaled and PLUGIN_PATH in data.get("manager", {}).get("environment", {}):
        yield f"manager.environment.{PLUGIN_PATH}: the kit sets it, to {PLUGINS}: remove it"


def published(plugin: str) -> bool:
    """Whether a plugin comes from a registry (aws, aws:1), or else is a binary of the manager's."""
    return bool(plugin) and not plugin.startswith(("/", "fleeting-plugin-"))


def folder(plugin: str) -> str:
    """Where a published plugin's versions are, below the plugins' folder."""
    name = re.sub(r":[^/]*$", "", plugin)
    first, slash, _ = name.partition("/")
    if not slash:
        return f"registry.gitlab.com/gitlab-org/fleeting/plugins/{name}"
    return name if "." in first else f"registry.gitlab.com/{name}"


def _runner(path: str, body: Mapping[str, Any]) -> Iterator[str]:
    executor, spec = body.get("executor", "docker"), body.get("autoscaler", {})
    if executor not in EXECUTORS:
        if spec:
            yield f'{path}.autoscaler: needs executor = "docker-autoscaler" or "instance"'
        return
    if executor == "instance":
        for key in ("image", "docker"):
            if body.get(key):
                yield f"{path}.{key}: jobs of the instance executor run on the machine itself: remove it"
    if not spec:
        yield f'{path}.autoscaler: missing, and executor = "{executor}" needs it'
        return
    if not isinstance(spec.get("plugin"), str) or not spec["plugin"]:
        yield f'{path}.autoscaler.plugin: missing: "aws:1", "googlecloud:1", "azure:1", …'
    elif published(spec["plugin"]) and ":" in folder(spec["plugin"]):
        yield f"{path}.autoscaler.plugin: no runner can use a registry with a port: use one at 443"
    policy = spec.get("policy")
    if not isinstance(policy, list) or not policy:
        yield f"{path}.autoscaler.policy: empty, so that nothing would scale: add [[{path}.autoscaler.policy]]"


def _concurrent(specs: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    """A manager that takes fewer jobs than its machines could run leaves machines idle."""
    manager = data.get("manager", {})
    concurrent = manager.get("settings", {}).get("concurrent", manager.get("concurrent"))
    sizes = [
        (one.get("max_instances", 0), one.get("capacity_per_instance", 1)) for one in specs.values()
    ]
    if not all(isinstance(number, int) for size in sizes for number in size):
        return  # config.toml's own type errors are the program's to tell
    jobs = sum(machines * (capacity or 1) for machines, capacity in sizes)
    if specs and (not isinstance(concurrent, int) or concurrent < jobs):
        now = (
            '"auto" counts the processors of this host'
            if concurrent == "auto"
            else f"{concurrent or 1} jobs at once"
        )
        fix = f"concurrent = {jobs}" if jobs else "concurrent, and max_instances"
        names = ", ".join(f"runners.{name}.autoscaler" for name in specs)
        yield f"manager.concurrent: {now}, and the machines of {names} need their own number: set {fix}"


def _shared(scaled: Mapping[str, Any], hosts: Mapping[str, Any]) -> Iterator[str]:
    """A group of machines has one master: two of them would remove each other's machines."""
    known: list[tuple[Any, str]] = []
    for name, body in scaled.items():
        spec = body["autoscaler"]
        plugin = str(spec.get("plugin", ""))
        group = (folder(plugin) if published(plugin) else plugin, spec.get("plugin_config"))
        if other := next((one for each, one in known if each == group), None):
            yield f"runners.{name}.autoscaler: the same group as runners.{other}: give each its own"
        known.append((group, name))
        users = [host for host, section in hosts.items() if name in section.get("runners", (name,))]
        if len(users) > 1:
            yield (
                f"runners.{name}.autoscaler: one group on the hosts {', '.join(users)}: "
                "name the runner in the runners of one host only"
            )
