"""Service containers: started before the job, reached by their aliases."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from . import host_config, naming
from .build_log import BuildLog
from .engine import Engine, EngineError
from .errors import JobError
from .pull import PullManager
from .variables import Variables

_SETTLE = 2.0


def wanted(docker: Mapping[str, Any], job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of config.toml, then those of the job."""
    own = [
        {**service, "variables": [_pair(text) for text in service.get("environment", [])]}
        for service in docker.get("services", [])
    ]
    asked = list(job.get("services") or [])
    names = [service["name"] for service in own]
    for service in asked:
        allowed = docker.get("allowed_services", [])
        if service["name"] not in names and not host_config.matches(service["name"], allowed):
            raise JobError(f'disallowed service "{service["name"]}"', "runner_configuration_error")
    limit = docker.get("services_limit", -1)
    if 0 <= limit < len(own) + len(asked):
        raise JobError(
            f"too many services requested: {len(own) + len(asked)}, only {limit} allowed",
            "runner_configuration_error",
        )
    return [*own, *asked]


def _pair(text: str) -> dict[str, str]:
    key, _, value = text.partition("=")
    return {"key": key, "value": value}


class Services:
    def __init__(self, engine: Engine, log: BuildLog, docker: Mapping[str, Any]) -> None:
        self._engine = engine
        self._log = log
        self._docker = docker
        self.containers: list[str] = []
        self.links: list[str] = []

    def start(
        self,
        services: list[dict[str, Any]],
        pull: PullManager,
        variables: Variables,
        name: str,
        labels: Mapping[str, str],
        binds: list[str],
        network: str,
    ) -> None:
        for index, service in enumerate(services):
            image = variables.expand(service["name"])
            aliases = naming.service_aliases(image)
            if alias := service.get("alias"):
                aliases += alias.replace(",", " ").split()
            tag = image.rpartition("/")[2].partition(":")[2] or "latest"
            self._log.line(f"Starting service {image.removesuffix(f':{tag}')}:{tag}...")
            found = pull.get(image, service.get("pull_policy") or [])
            environment = [*variables.environment()]
            environment += [f"{v['key']}={v['value']}" for v in service.get("variables") or []]
            kind = {f"{naming.PREFIX}.type": "service", f"{naming.PREFIX}.service": aliases[0]}
            settings = host_config.for_service(self._docker, image, binds, network)
            container = self._create(
                f"{name}-{aliases[0]}-{index}",
                {
                    "image": found["Id"],
                    "environment": environment,
                    "labels": {**labels, **kind},
                    "command": service.get("command") or None,
                    "entrypoint": service.get("entrypoint") or None,
                },
                settings,
                network if _user_defined(network) else "",
                aliases,
            )
            if not network or network == "bridge":
                self.links += [f"{container}:{alias}" for alias in aliases]
        if self.containers:
            self._wait()

    def _create(
        self,
        name: str,
        made: dict[str, Any],
        settings: dict[str, Any],
        network: str,
        aliases: list[str],
    ) -> str:
        def create(api: Any) -> str:
            networking = None
            if network:
                endpoint = api.create_endpoint_config(aliases=aliases)
                networking = api.create_networking_config({network: endpoint})
            host = api.create_host_config(**settings)
            container = api.create_container(
                name=name, host_config=host, networking_config=networking, **made
            )
            return str(container["Id"])

        container = str(self._engine(create))
        self.containers.append(container)
        self._engine(lambda api: api.start(container))
        return container

    def _wait(self) -> None:
        """The real one knocks at exposed ports; here a service counts if it stays up."""
        timeout = self._docker.get("wait_for_services_timeout") or 30
        if timeout < 0:
            return
        self._log.line(f"Waiting for services to be up and running (timeout {timeout} seconds)...")
        until = time.monotonic() + min(timeout, _SETTLE)
        while time.monotonic() < until:
            time.sleep(0.2)
        for container in list(self.containers):
            state = self._engine(partial(_inspect, container=container))
            if not state["State"]["Running"]:
                self._dead(container, state["Name"].lstrip("/"))

    def _dead(self, container: str, name: str) -> None:
        self.links = [link for link in self.links if not link.startswith(container)]
        try:
            output = self._engine(lambda api: api.logs(container, tail=50)).decode(errors="replace")
        except EngineError as error:
            output = str(error)
        self._log.warning(
            f"Service {name} probably didn't start properly.\nService container logs:\n{output}"
        )


def _inspect(api: Any, container: str) -> Any:
    return api.inspect_container(container)


def _user_defined(network: str) -> bool:
    named = network in {"", "bridge", "default", "host", "none"}
    return not named and not network.startswith("container:")
