"""Blank hosts: containers that look like machines, each with an address, an sshd and users."""

import io
import socket
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
from docker.models.containers import Container
from docker.models.images import Image
from docker.types import DriverConfig, Mount

from sandbox import keys, network
from sandbox.errors import SandboxError, translated
from sandbox.hosts.kinds import SYSTEMD
from sandbox.names import Names

PATIENCE = 60.0  # seconds for a host to come up
SSH = "/etc/ssh"
CAP_SYS_RESOURCE = 24  # linux/capability.h
DOCKER = "/var/lib/docker"
VOLUMES = (DOCKER, "/var/lib/containerd")  # overlayfs does not lie upon itself


@dataclass(frozen=True)
class BlankHost:
    """A host: `ssh -i key root@address`."""

    name: str
    address: str
    kind: str
    key: Path


def start(
    client: docker.DockerClient, names: Names, name: str, kind: str, image: Image, disk_mb: int
) -> BlankHost:
    """A fresh host in place of whatever had its name; it answers ssh when this returns."""
    with translated(f"make the host {name}"):
        remove(client, names, name)
        container = _container(client, names, name, kind, image, disk_mb)
        if _comes_up(container, kind):
            return BlankHost(name, _address(container), kind, keys.key(names.state))
    last = " ".join(container.logs(tail=3).decode(errors="replace").split())
    raise SandboxError(
        f"{container.name} does not come up ({container.status}): {last}",
        f"look at `docker logs {container.name}`",
    )


def remove(client: docker.DockerClient, names: Names, name: str) -> None:
    """Remove a host with its volumes, and forget its key."""
    try:
        container = client.containers.get(names.container(f"host-{name}"))
    except docker.errors.NotFound:
        return
    keys.know(names.state, _address(container), None)
    container.remove(v=True, force=True)


def _container(
    client: docker.DockerClient, names: Names, name: str, kind: str, image: Image, disk_mb: int
) -> Container:
    api = client.api
    config = api.create_host_config(
        binds=_resolver(names.state),
        cap_add=["ALL"],
        cap_drop=_withheld(),
        cgroupns="private",
        init=kind not in SYSTEMD,
        security_opt=["seccomp=unconfined", "apparmor=unconfined", "label=disable"],
        tmpfs={"/run": "", "/run/lock": ""},
        mounts=[_disk(disk_mb)] if disk_mb else [],
    )
    # What `docker run` makes of --security-opt systempaths=unconfined.
    config |= {"MaskedPaths": [], "ReadonlyPaths": []}
    created = api.create_container(
        image.id,
        name=names.container(f"host-{name}"),
        hostname=name,
        labels=names.labels,
        volumes=[place for place in VOLUMES if place != DOCKER or not disk_mb],
        host_config=config,
        networking_config=network.attachment(client, names),
    )
    private, public = keys.keypair()
    container = client.containers.get(created["Id"])
    container.put_archive(SSH, _files(names.state, private, public))
    container.start()
    container.reload()
    keys.know(names.state, _address(container), public)
    return container


def _disk(megabytes: int) -> Mount:
    """A disk for Docker that a test can fill; it goes with the host."""
    size = {"type": "tmpfs", "device": "tmpfs", "o": f"size={megabytes}m"}
    return Mount(DOCKER, None, no_copy=True, driver_config=DriverConfig("local", size))


def _address(container: Container) -> str:
    (attached,) = container.attrs["NetworkSettings"]["Networks"].values()
    return str(attached["IPAddress"])


def _withheld() -> list[str]:
    """What this machine has not got to give; asking for it would be an error."""
    status = Path("/proc/self/status").read_text().splitlines()
    (bounds,) = (int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return [] if bounds >> CAP_SYS_RESOURCE & 1 else ["SYS_RESOURCE"]


def _resolver(state: Path) -> list[str]:
    """The machine's own name servers: containers inside a host cannot reach Docker's resolver."""
    for source in (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")):
        text = source.read_text() if source.exists() else ""
        servers = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver ")]
        if servers and not any(server.startswith(("127.", "::1")) for server in servers):
            (state / "resolv.conf").write_text(text)
            return [f"{state}/resolv.conf:/etc/resolv.conf"]
    return []


def _files(state: Path, private: str, public: str) -> bytes:
    authorized = keys.key(state).with_suffix(".pub").read_text()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text, mode in (
            ("ssh_host_ed25519_key", private, 0o600),
            ("ssh_host_ed25519_key.pub", public, 0o644),
            ("sandbox_authorized_keys", authorized, 0o644),
            ("sandbox_passwords", f"carol:{keys.password(state, 'sudo')}\n", 0o600),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), mode
            tar.addfile(member, io.BytesIO(text.encode()))
    return archive.getvalue()


def _comes_up(container: Container, kind: str) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not (_greets(_address(container)) and _booted(container, kind)):
        container.reload()
        if container.status != "running" or time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _booted(container: Container, kind: str) -> bool:
    """Until it has booted, systemd lets nobody but root log in."""
    if kind not in SYSTEMD:
        return True
    _, answer = container.exec_run(["systemctl", "is-system-running", "--wait"])
    return answer in (b"running\n", b"degraded\n")
