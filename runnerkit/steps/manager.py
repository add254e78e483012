"""The manager container runs, from the wanted image, with the recipe's mounts and restart policy."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runnerkit import container
from runnerkit.checks import selinux
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.images.reference import normal
from runnerkit.plan import Change, Hint, Script
from runnerkit.templates import render
from runnerkit.want import Want

HINTS = (
    container.WAITED,
    Hint("", "docker logs of the manager on the host tells more"),
)


def needs(want: Want) -> Needs:
    return Needs(images=(want.manager.image,), manager=True)


def changes(want: Want, have: Facts) -> Iterator[Change]:
    name = want.manager.container
    now = have.containers.get(name)
    _elsewhere(want, now)
    if now is None:
        yield Script(f"run the container {name}", container.run(want), hints=HINTS)
    elif reasons := list(_differences(want, have, now)):
        jobs = f", after its {have.jobs} running job containers end" if have.jobs else ""
        title = f"replace the container {name} ({'; '.join(reasons)}){jobs}"
        run = container.run(want, _options(want, now), _environment(want, have, now))
        text = f"{container.drain(want)}docker rm -f {name} >/dev/null\n{run}"
        yield Script(title, text, hints=HINTS)
    elif not now["State"]["Running"]:
        yield Script(f"start the container {name}", render("start.sh.j2", name=name), hints=HINTS)


def _options(want: Want, now: Mapping[str, Any]) -> Iterator[str]:
    """What a container that somebody made has beyond the recipe, as options of ``docker run``."""
    ours = {bind.partition(":")[2] for bind in container.binds(want)}
    for mount in now["Mounts"]:
        place, source = mount["Destination"], mount.get("Name") or mount.get("Source", "")
        # A volume without a name of its own is the image's.
        if source and place not in ours and not re.fullmatch("[0-9a-f]{64}", source):
            yield f"--volume={source}:{place}{'' if mount.get('RW', True) else ':ro'}"
    host = now["HostConfig"]
    if (network := host.get("NetworkMode") or "default") not in ("default", "bridge"):
        yield f"--network={network}"
    yield from (f"--add-host={one}" for one in host.get("ExtraHosts") or ())
    yield from (f"--dns={one}" for one in host.get("Dns") or ())
    for port, places in (host.get("PortBindings") or {}).items():
        for one in places or ():
            address = f"{one['HostIp']}:" if one.get("HostIp") else ""
            yield f"--publish={address}{one.get('HostPort', '')}:{port}"


def _environment(want: Want, have: Facts, now: Mapping[str, Any]) -> Iterator[str]:
    """Its variables that are neither its image's nor said in the settings."""
    known = (image for image in have.images.values() if image["Id"] == now["Image"])
    of_image = ((next(known, {}).get("Config") or {}).get("Env")) or ()
    for one in now["Config"]["Env"] or ():
        name = one.partition("=")[0]
        if one in of_image or name == "PATH" or "\n" in one:  # which a file of them cannot hold
            continue
        if name not in want.manager.environment:
            yield one


def _elsewhere(want: Want, now: Mapping[str, Any] | None) -> None:
    """Refuse to replace a manager that keeps its config.toml in another place: it would be lost."""
    for mount in now["Mounts"] if now else ():
        source = mount.get("Source", "")
        if mount["Destination"] == "/etc/gitlab-runner" and source != want.manager.config_dir:
            raise KitError(
                f"the container {want.manager.container} keeps its config.toml in {source}",
                f'set [manager] config_dir = "{source}", or move its files to {want.manager.config_dir}',
            )


def _differences(want: Want, have: Facts, now: Mapping[str, Any]) -> Iterator[str]:
    image = have.images.get(normal(want.manager.image))
    if image is None or image["Id"] != now["Image"]:
        yield f"image {now['Config']['Image']} → {want.manager.image}"
    policy = now["HostConfig"]["RestartPolicy"]["Name"]
    if policy != "always":
        yield f"restart policy {policy or 'no'} → always"
    if selinux.confines(have) and not selinux.labelled(now["HostConfig"].get("SecurityOpt")):
        yield "SELinux keeps Docker's socket from it"
    mounts = {f"{mount['Source']}:{mount['Destination']}" for mount in now["Mounts"]}
    for bind in container.binds(want):
        source, _, target = bind.partition(":")
        # /var/run is a link to /run on every current distribution
        if not mounts & {bind, f"{source.replace('/var/run/', '/run/')}:{target}"}:
            yield f"mount {bind}"
    for key, value in want.manager.environment.items():
        if f"{key}={value}" not in (now["Config"]["Env"] or []):
            yield f"environment {key}"
