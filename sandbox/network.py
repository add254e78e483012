"""The sandbox's own bridge network, and a place in it."""

import docker
import docker.errors
from docker.types import IPAMConfig, IPAMPool, NetworkingConfig

from sandbox.errors import SandboxError
from sandbox.names import Names


def ensure(client: docker.DockerClient, names: Names) -> None:
    """A bridge network; its upper half is for hosts."""
    if client.networks.list(names=[f"^{names.sandbox}$"], filters=names.filter):
        return
    pool = IPAMPool(
        subnet=f"{names.address(0)}/24",
        iprange=f"{names.address(128)}/25",
        gateway=names.address(1),
    )
    try:
        client.networks.create(
            names.sandbox, ipam=IPAMConfig(pool_configs=[pool]), labels=names.labels
        )
    except docker.errors.APIError as error:
        raise SandboxError(
            f"create the network {names.sandbox} ({names.address(0)}/24): {error.explanation}",
            "set RUNNERKIT_SANDBOX to another name, which means another network",
        ) from error


def attachment(
    client: docker.DockerClient, names: Names, address: str | None = None
) -> NetworkingConfig:
    """What ties a container to the network, at an address of its choice or of Docker's."""
    endpoint = client.api.create_endpoint_config(ipv4_address=address)
    return NetworkingConfig({names.sandbox: endpoint})  # type: ignore[arg-type]  # stub is wrong
