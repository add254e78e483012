"""[runners.NAME.autoscaler]: GitLab's own autoscaler, which hands jobs to machines of a group.

Its keys go through to config.toml as they are. What is known to fail there is told here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from runnerkit.errors import KitError, nearest
from runnerkit.settings.secrets import NAMES, NEVER, Secret, Source

EXECUTORS = ("docker-autoscaler", "instance")
SHARED = "/etc/gitlab-runner"  # in the manager; the host has it as [manager] config_dir
PLUGINS = f"{SHARED}/fleeting"
PLUGIN_PATH = "FLEETING_PLUGIN_PATH"
# As gitlab-runner 19.3 knows them. Others go through as well, unless one of these is nearly meant.
KEYS = {
    "": "plugin capacity_per_instance max_use_count max_instances delete_instances_on_shutdown "
    "instance_ready_command instance_acquire_timeout update_interval update_interval_when_expecting "
    "deletion_retry_interval shutdown_deletion_interval shutdown_deletion_retries failure_threshold "
    "reservation_throttling log_internal_ip log_external_ip scale_throttle state_storage "
    "plugin_config connector_config policy vm_isolation",
    "connector_config": "os arch protocol protocol_port username password key_path "
    "use_static_credentials keepalive timeout use_external_addr",
    "policy": "periods timezone idle_count idle_time scale_factor scale_factor_limit preemptive_mode",
    "state_storage": "enabled dir keep_instance_with_acquisitions",
}
MASKED = re.compile(f"({NAMES})$", re.I)  # in plans, so that these alone may hold a secret
BARE = re.compile(r"(passphrase|(account|secret|access|private|api|ssh)_key|^key)$", re.I)


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


def read(spec: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The autoscaler's settings, with its secrets read.

    Raises:
        KitError: a secret is not there.
    """

    def one(key: str, value: Any, where: str) -> Any:
        if MASKED.search(key) and isinstance(value, dict):
            source = msgspec.convert(value, Source)
            if (secret := source.read()) is None:
                raise KitError(f"{where} is empty: {source}", "set it, and run again")
            return secret
        if isinstance(value, dict):
            return {k: one(k, v, f"{where}.{k}") for k, v in value.items()}
        if isinstance(value, list):
            return [one(key, v, where) for v in value]
        return value

    return {key: one(key, value, f"{path}.{key}") for key, value in spec.items()}


def shown(value: Any, show: Callable[[Secret], str]) -> Any:
    """The same with its secrets shown: in clear for config.toml, as *** for people."""
    if isinstance(value, Secret):
        return show(value)
    if isinstance(value, Mapping):
        return {key: shown(one, show) for key, one in value.items()}
    return [shown(one, show) for one in value] if isinstance(value, list) else value


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
    yield from _misspelt(spec, f"{path}.autoscaler")
    for key in ("plugin_config", "connector_config"):
        yield from _secrets(spec.get(key, {}), f"{path}.autoscaler.{key}")


def _misspelt(spec: Mapping[str, Any], path: str) -> Iterator[str]:
    """Keys that only nearly are known ones: what a runner does not know, it passes over in silence."""
    for table, words in KEYS.items():
        inside, known = spec.get(table, {}) if table else spec, words.split()
        for one in inside if isinstance(inside, list) else [inside]:
            for key in one if isinstance(one, dict) else ():
                if key not in known and (hint := nearest(key, known, 0.85)):
                    yield f"{path}{'.' if table else ''}{table}.{key}: unknown key{hint}"


def _secrets(value: Any, path: str, key: str = "") -> Iterator[str]:
    """Secrets in clear, and such as could not be kept out of plans."""
    if value and BARE.search(key):
        yield f"{path}: plans would show it: keep it in a file on the host, and name that"
    elif value and MASKED.search(key):
        try:
            msgspec.convert(value, Source)
        except msgspec.ValidationError:
            yield f"{path}: {NEVER}"
    elif isinstance(value, dict):
        for inner, one in value.items():
            yield from _secrets(one, f"{path}.{inner}", inner)
    elif isinstance(value, list):
        for one in value:
            yield from _secrets(one, path)


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
