"""The manager container runs, from the wanted image, with the recipe's mounts and restart policy."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs, normal
from runnerkit.plan import Change, Hint, Script, render
from runnerkit.want import Want

WAITED = Hint(
    "timeout: the jobs", "wait for the jobs, or raise [manager] stop_timeout; then run again"
)
HINTS = (
    WAITED,
    Hint("", "docker logs of the manager on the host tells more"),
)


def needs(want: Want) -> Needs:
    return Needs(images=(want.manager.image,), manager=True)


def changes(want: Want, have: Facts) -> Iterator[Change]:
    name = want.manager.container
    container = have.containers.get(name)
    _elsewhere(want, container)
    if container is None:
        yield Script(f"run the container {name}", run(want), hints=HINTS)
    elif reasons := list(_differences(want, have, container)):
        jobs = f", after its {have.jobs} running job containers end" if have.jobs else ""
        timeout, elsewhere = want.manager.stop_timeout, want.elsewhere
        drain = render("drain.sh.j2", name=name, timeout=timeout, elsewhere=elsewhere)
        title = f"replace the container {name} ({'; '.join(reasons)}){jobs}"
        made = run(want, _more(want, container), _environment(want, have, container))
        yield Script(title, f"{drain}docker rm -f {name} >/dev/null\n{made}", hints=HINTS)
    elif not container["State"]["Running"]:
        yield Script(f"start the container {name}", render("start.sh.j2", name=name), hints=HINTS)


def binds(want: Want) -> tuple[str, ...]:
    return (
        f"{want.manager.config_dir}:/etc/gitlab-runner",
        "/var/run/docker.sock:/var/run/docker.sock",
    )


def run(want: Want, more: Iterable[str] = (), environment: Iterable[str] = ()) -> str:
    """The script that runs the container, with what one that it takes the place of had besides."""
    return render(
        "run-manager.sh.j2",
        manager=want.manager,
        binds=binds(want),
        more=more,
        environment=environment,
    )


def _more(want: Want, container: Mapping[str, Any]) -> Iterator[str]:
    """What a container that somebody made has beyond the recipe, as options of ``docker run``."""
    ours = {bind.partition(":")[2] for bind in binds(want)}
    for mount in container["Mounts"]:
        place, source = mount["Destination"], mount.get("Name") or mount.get("Source", "")
        # A volume without a name of its own is the image's.
        if source and place not in ours and not re.fullmatch("[0-9a-f]{64}", source):
            yield f"--volume={source}:{place}{'' if mount.get('RW', True) else ':ro'}"
    said = container["HostConfig"]
    if (network := said.get("NetworkMode") or "default") not in ("default", "bridge"):
        yield f"--network={network}"
    yield from (f"--add-host={one}" for one in said.get("ExtraHosts") or ())
    yield from (f"--dns={one}" for one in said.get("Dns") or ())
    for port, places in (said.get("PortBindings") or {}).items():
        for one in places or ():
            address = f"{one['HostIp']}:" if one.get("HostIp") else ""
            yield f"--publish={address}{one.get('HostPort', '')}:{port}"


def _environment(want: Want, have: Facts, container: Mapping[str, Any]) -> Iterator[str]:
    """Its variables that are neither its image's nor said in the settings."""
    known = (image for image in have.images.values() if image["Id"] == container["Image"])
    of_image = ((next(known, {}).get("Config") or {}).get("Env")) or ()
    for one in container["Config"]["Env"] or ():
        name = one.partition("=")[0]
        if one in of_image or name == "PATH" or "\n" in one:  # which a file of them cannot hold
            continue
        if name not in want.manager.environment:
            yield one


def _elsewhere(want: Want, container: Mapping[str, Any] | None) -> None:
    """Refuse to replace a manager that keeps its config.toml in another place: it would be lost."""
    for mount in container["Mounts"] if container else ():
        source = mount.get("Source", "")
        if mount["Destination"] == "/etc/gitlab-runner" and source != want.manager.config_dir:
            raise KitError(
                f"the container {want.manager.container} keeps its config.toml in {source}",
                f'set [manager] config_dir = "{source}", or move its files to {want.manager.config_dir}',
            )


def _differences(want: Want, have: Facts, container: Mapping[str, Any]) -> Iterator[str]:
    image = have.images.get(normal(want.manager.image))
    if image is None or image["Id"] != container["Image"]:
        yield f"image {container['Config']['Image']} → {want.manager.image}"
    policy = container["HostConfig"]["RestartPolicy"]["Name"]
    if policy != "always":
        yield f"restart policy {policy or 'no'} → always"
    mounts = {f"{mount['Source']}:{mount['Destination']}" for mount in container["Mounts"]}
    for bind in binds(want):
        source, _, target = bind.partition(":")
        # /var/run is a link to /run on every current distribution
        if not mounts & {bind, f"{source.replace('/var/run/', '/run/')}:{target}"}:
            yield f"mount {bind}"
    for key, value in want.manager.environment.items():
        if f"{key}={value}" not in (container["Config"]["Env"] or []):
            yield f"environment {key}"
