"""dockerd has the registry mirrors and options that the settings name, and its own besides.

Before Docker is installed the file is written first, so that the daemon starts with it.
"""

import json
from collections.abc import Iterator
from typing import Any

from runnerkit import container
from runnerkit.facts import Facts, Needs
from runnerkit.files.daemon_json import PATH, merged, parsed
from runnerkit.files.merge import missing
from runnerkit.files.write import write_file
from runnerkit.plan import Change, Hint, Script, mirrors
from runnerkit.templates import render
from runnerkit.want import Want

HINTS = (
    container.WAITED,
    Hint("", "see the daemon's log on the host: journalctl -u docker, or /var/log/docker.log"),
)
# Since Docker 23.
VALIDATE = (
    "if dockerd --help 2>/dev/null | grep -q -- --validate; then\n"
    '  dockerd --validate --config-file "$new" >/dev/null\nfi'
)
# moby, daemon/reload.go
RELOADABLE = {
    *("debug", "registry-mirrors", "insecure-registries", "labels", "live-restore", "features"),
    *("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts"),
    *("shutdown-timeout", "default-runtime", "runtimes"),
}


def needs(want: Want) -> Needs:
    return Needs(files=(PATH,))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    managed: dict[str, Any] = dict(want.docker.daemon)
    if want.docker.registry_mirrors:
        managed["registry-mirrors"] = [m.rstrip("/") for m in want.docker.registry_mirrors]
    file, now = have.files.get(PATH), parsed(have)
    restart_keys = set(managed) - RELOADABLE
    used = managed.get("registry-mirrors", _mirrors(have))

    if differing := [key for key in managed if missing(managed[key], now.get(key))]:
        hot = have.docker_runs and set(differing) <= RELOADABLE
        # The time of the file is the time of the last change that needs a restart, so that a run
        # cut off between write and restart is seen: the daemon is then older than its file.
        keep = (file.modified if file else have.started) if hot else None
        yield write_file(
            PATH,
            json.dumps(merged(now, managed), indent=2) + "\n",
            file.mode if file else 0o644,
            old=file.data if file else None,
            keep_time=keep,
            check=VALIDATE,
            reaches=mirrors(want.docker.registry_mirrors),
        )
        if hot:
            yield _reload(used)
        elif have.docker_runs:
            undo = f"cp -p {PATH}.previous {PATH}" if file else f"rm -f {PATH}"
            yield _restart(want, have, undo)
    # Both times are whole seconds, each cut off.
    elif have.docker_runs and restart_keys and file and have.started + 1 < file.modified:
        yield _restart(want, have)
    elif have.docker_runs and used != _mirrors(have):
        yield _reload(used)


def _mirrors(have: Facts) -> list[str]:
    config = have.info.get("RegistryConfig") or {}
    return [mirror.rstrip("/") for mirror in config.get("Mirrors") or []]


def _reload(used: list[str]) -> Script:
    return Script("reload docker", render("reload-docker.sh.j2", mirrors=used), hints=HINTS)


def _restart(want: Want, have: Facts, undo: str = "") -> Script:
    """Docker's restart ends every container, so the manager's jobs are waited for first."""
    name = want.manager.container
    busy = (have.jobs or want.elsewhere) and name in have.containers
    drain = container.drain(want) if busy else ""
    text = render("restart-docker.sh.j2", name=name, drain=drain, undo=undo)
    return Script("restart docker", text, hints=HINTS)
