"""The sandbox's own bridge network: where it lies, who has which address, and a place in it."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import docker.errors
from docker.types import IPAMConfig, IPAMPool, NetworkingConfig

from sandbox.errors import SandboxError
from sandbox.names import Names

PLACES = 254  # networks of a sandbox's size, 10.213.1.0/24 and up


@dataclass(frozen=True)
class Net:
    """The network of one sandbox."""

    prefix: str

    def address(self, number: int) -> str:
        """An address in it."""
        return f"{self.prefix}.{number}"

    @property
    def gitlab(self) -> str:
        """The address of the miniature GitLab."""
        return self.address(2)

    @property
    def mirror(self) -> str:
        """The address of the registry."""
        return self.address(3)


def ensure(client: docker.DockerClient, names: Names) -> Net:
    """The sandbox's bridge network, made where nothing lies yet; its upper half is for hosts."""
    for known in client.networks.list(names=[f"^{names.sandbox}$"], filters=names.filter):
        names.owned(known.attrs.get("Labels") or {})
        return Net(known.attrs["IPAM"]["Config"][0]["Subnet"].rpartition(".")[0])
    for net in places(names):
        pool = IPAMPool(f"{net.address(0)}/24", f"{net.address(128)}/25", net.address(1))
        ipam = IPAMConfig(pool_configs=[pool])
        try:
            client.networks.create(names.sandbox, ipam=ipam, labels=names.labels)
        except docker.errors.APIError as error:
            if "overlaps" in str(error.explanation):  # with another network of this Docker
                continue
            raise SandboxError(
                f"create the network {names.sandbox} ({net.address(0)}/24): {error.explanation}",
                "look at `docker network ls`, then run it again",
            ) from error
        return net
    raise SandboxError(
        f"create the network {names.sandbox}: nothing is free in 10.213.0.0/16",
        "`docker network ls` shows what lies there: remove what nobody needs, then run it again",
    )


def places(names: Names) -> Iterator[Net]:
    """Where the network may lie, beginning with a place that follows from the sandbox's name."""
    first = zlib.crc32(names.sandbox.encode())
    for step in range(PLACES):
        yield Net(f"10.213.{(first + step) % PLACES + 1}")


def attachment(
    client: docker.DockerClient, names: Names, address: str | None = None
) -> NetworkingConfig:
    """What ties a container to the network, at an address of its choice or of Docker's."""
    endpoint = client.api.create_endpoint_config(ipv4_address=address)
    return NetworkingConfig({names.sandbox: endpoint})  # type: ignore[arg-type]  # stub is wrong
