"""dockerd has the registry mirrors and options that the settings name, and its own besides.

Before Docker is installed the file is written first, so that the daemon starts with it.
"""

import json
from collections.abc import Iterator
from typing import Any

from runnerkit import config_toml
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.plan import Change, Hint, Script, render, write_file
from runnerkit.steps import manager
from runnerkit.want import Want

PATH = "/etc/docker/daemon.json"
SEE_LOG = Hint("", "see the daemon's log on the host: journalctl -u docker, or /var/log/docker.log")
# Since Docker 23.
VALIDATE = (
    "if dockerd --help 2>/dev/null | grep -q -- --validate; then\n"
    '  dockerd --validate --config-file "$new" >/dev/null\nfi'
)
RELOADABLE = {  # moby, daemon/reload.go
    "debug", "registry-mirrors", "insecure-registries", "labels", "live-restore", "features",
    "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
    "shutdown-timeout", "default-runtime", "runtimes",
}  # fmt: skip


def needs(want: Want) -> Needs:
    return Needs(files=(PATH,))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    managed: dict[str, Any] = dict(want.docker.daemon)
    if want.docker.registry_mirrors:
        managed["registry-mirrors"] = [m.rstrip("/") for m in want.docker.registry_mirrors]
    file, now = have.files.get(PATH), parsed(have)
    restart_keys = set(managed) - RELOADABLE
    mirrors = managed.get("registry-mirrors", _mirrors(have))

    if differing := [key for key in managed if config_toml.missing(managed[key], now.get(key))]:
        hot = have.docker_runs and set(differing) <= RELOADABLE
        # The time of the file is the time of the last change that needs a restart, so that a run
        # cut off between write and restart is seen: the daemon is then older than its file.
        keep = (file.modified if file else have.started) if hot else ""
        yield write_file(
            PATH,
            json.dumps(_merged(now, managed), indent=2) + "\n",
            file.mode if file else 0o644,
            old=file.data if file else None,
            keep_time=keep,
            check=VALIDATE,
        )
        if hot:
            yield _reload(mirrors)
        elif have.docker_runs:
            undo = f"cp -p {PATH}.previous {PATH}" if file else f"rm -f {PATH}"
            yield _restart(want, have, undo)
    # Both times are whole seconds, each cut off.
    elif have.docker_runs and restart_keys and file and have.started + 1 < file.modified:
        yield _restart(want, have)
    elif have.docker_runs and mirrors != _mirrors(have):
        yield _reload(mirrors)


def parsed(have: Facts) -> dict[str, Any]:
    """What the host's file says; {} where there is none.

    Raises:
        KitError: it is not a JSON object.
    """
    file = have.files.get(PATH)
    try:
        data = json.loads((file.text if file else "") or "{}")
    except json.JSONDecodeError as error:
        raise KitError(f"{PATH} on the host is not JSON: {error}", "repair it there") from None
    if not isinstance(data, dict):
        raise KitError(f"{PATH} on the host is not a JSON object", "repair it there")
    return data


def _merged(now: dict[str, Any], managed: dict[str, Any]) -> dict[str, Any]:
    """What is there, with our keys over it, and with our keys over those of its objects."""
    both = {key: {**now[key], **value} for key, value in managed.items()
            if isinstance(value, dict) and isinstance(now.get(key), dict)}  # fmt: skip
    return {**now, **managed, **both}


def _mirrors(have: Facts) -> list[str]:
    config = have.info.get("RegistryConfig") or {}
    return [mirror.rstrip("/") for mirror in config.get("Mirrors") or []]


def _reload(mirrors: list[str]) -> Script:
    return Script("reload docker", render("reload-docker.sh.j2", mirrors=mirrors), hints=(SEE_LOG,))


def _restart(want: Want, have: Facts, undo: str = "") -> Script:
    """Docker's restart ends every container, so the manager's jobs are waited for first."""
    name, drain = want.manager.container, ""
    if (have.jobs or want.elsewhere) and name in have.containers:
        timeout, elsewhere = want.manager.stop_timeout, want.elsewhere
        drain = render("drain.sh.j2", name=name, timeout=timeout, elsewhere=elsewhere)
    text = render("restart-docker.sh.j2", name=name, drain=drain, undo=undo)
    return Script("restart docker", text, hints=(manager.WAITED, SEE_LOG))
