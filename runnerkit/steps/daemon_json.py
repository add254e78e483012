"""dockerd has the registry mirrors and options that the settings name, and its own besides.

Before Docker is installed the file is written first, so that the daemon starts with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runnerkit import container
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File, Needs
from runnerkit.files import daemon_json, memory, outside, removals
from runnerkit.files.daemon_json import PATH, differing, edited, parsed
from runnerkit.files.write import write_file
from runnerkit.plan import Change, Endpoint, Hint, Script, mirrors
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
# moby, daemon/reload.go. Of `features` all but the image store, which hides all images.
RELOADABLE = {
    *("debug", "registry-mirrors", "insecure-registries", "labels", "live-restore", "features"),
    *("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts"),
    *("shutdown-timeout", "default-runtime", "runtimes"),
}
STORE = "containerd-snapshotter"
# dockerd's flags that are named otherwise in the file (docs of dockerd, daemon configuration file).
SHORT = {
    "H": "hosts",
    "D": "debug",
    "l": "log-level",
    "g": "data-root",
    "s": "storage-driver",
    "G": "group",
    "b": "bridge",
}
SINGULAR = (
    *("host", "registry-mirror", "label", "log-opt", "storage-opt", "dns-opt", "exec-opt"),
    *("default-ulimit", "authorization-plugin", "feature", "default-address-pool"),
    *("default-network-opt", "node-generic-resource"),
)
FLAGS = {
    **SHORT,
    **{flag: f"{flag}s" for flag in SINGULAR},
    "insecure-registry": "insecure-registries",
    "add-runtime": "runtimes",
}


def needs(want: Want) -> Needs:
    return Needs(
        files=(PATH, memory.PATH, *outside.OF_DOCKERD), paths=(daemon_json.FOLDER, *outside.STORES)
    )


def changes(want: Want, have: Facts) -> Iterator[Change]:
    managed, left = daemon_json.managed(want, have), removals.daemon(want, have)
    file, now = have.files.get(PATH), parsed(have)
    # By a reload dockerd keeps what is no longer in its file.
    emptied = {
        way[0]: rest
        for way, rest in removals.DAEMON_REST.items()
        if way in left.goes or (way in left.gone and now.get(way[0]) == rest)
    }
    goes = [way for way in left.goes if way[0] not in emptied]
    restart_keys = {
        key for key in managed if key not in RELOADABLE or STORE in _table(managed[key])
    } | {way[0] for way in left.goes + left.gone if way[0] not in emptied}
    used = managed.get("registry-mirrors", emptied.get("registry-mirrors", _mirrors(have)))
    used = [mirror.rstrip("/") for mirror in used]
    unread = outside.unread(want, have, now)

    values = differing(now, {**managed, **emptied})
    if values or goes:
        if doubled := sorted({*values} & {*_flags(have)}):
            raise KitError(
                f"dockerd on the host is started with a flag for {', '.join(doubled)}, and does not "
                f"start where {PATH} names the same",
                "remove the flag there (systemctl cat docker shows it), or leave the key out of [docker]",
            )
        hot = have.docker_runs and not goes and not unread
        hot = hot and all(_reloads(key, values[key], have) for key in values)
        # The time of the file is the time of the last change that needs a restart, so that a run
        # cut off between write and restart is seen: the daemon is then older than its file.
        keep = (file.modified if file else have.started) if hot else None
        write = write_file(
            PATH,
            edited(have, values, goes),
            _mode(want, values, file),
            old=file.data if file else None,
            keep_time=keep,
            check=VALIDATE,
            reaches=_reaches(want, file, values),
        )
        yield replace(write, title=f"{write.title}{removals.reason(left.goes)}")
        if hot:
            yield _reload(used)
        elif have.docker_runs:
            undo = f"cp -p {PATH}.previous {PATH}" if file else f"rm -f {PATH}"
            store = any(STORE in _table(values[key]) for key in values)
            yield _restart(want, have, undo, store)
    # Both times are whole seconds, each cut off.
    elif unread or (
        have.docker_runs and restart_keys and file and have.started + 1 < file.modified
    ):
        yield _restart(want, have)
    elif have.docker_runs and used != _mirrors(have):
        yield _reload(used)


def _reaches(want: Want, file: File | None, values: Mapping[str, Any]) -> tuple[Endpoint, ...]:
    through = outside.named_anew(want, file.text if file else "") if "proxies" in values else ()
    return (*through, *(() if want.bundle else mirrors(want.docker.fixed_mirrors)))


def _mode(want: Want, values: Mapping[str, Any], file: File | None) -> int:
    """The file's permissions: root's alone where a password comes into it."""
    mode = file.mode if file else 0o644
    return mode & 0o700 if want.network.secret and "proxies" in values else mode


def _reloads(key: str, value: Any, have: Facts) -> bool:
    """Whether a running daemon takes the key up by itself: another image store it does not."""
    containerd = have.store == "containerd"
    return key in RELOADABLE and _table(value).get(STORE, containerd) == containerd


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _flags(have: Facts) -> Iterator[str]:
    """The keys of daemon.json that dockerd's own command line says already."""
    for flag in have.flags:
        if flag.startswith("-"):
            name = flag.partition("=")[0].lstrip("-")
            short = not flag.startswith("--")  # its value may be attached: -Hunix:///x
            yield FLAGS.get(name[:1] if short else name, name)


def _mirrors(have: Facts) -> list[str]:
    config = have.info.get("RegistryConfig") or {}
    return [mirror.rstrip("/") for mirror in config.get("Mirrors") or []]


def _reload(used: list[str]) -> Script:
    return Script("reload docker", render("reload-docker.sh.j2", mirrors=used), hints=HINTS)


def _restart(want: Want, have: Facts, undo: str = "", store: bool = False) -> Script:
    """Docker's restart ends every container, so the manager's jobs are waited for first."""
    name, drain = want.manager.container, container.jobs_end(want, have)
    files = outside.of_dockerd(want, have, parsed(have))
    left = outside.removals(want, have, files, outside.OF_DOCKERD)
    before = outside.removal(left) if left else ""
    text = render("restart-docker.sh.j2", name=name, drain=drain, undo=undo, before=before)
    why = " (another image store, which has none of the images: all come anew)" if store else ""
    return Script(f"restart docker{why}", text, hints=HINTS)
