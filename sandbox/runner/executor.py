"""The docker executor: images, volumes and containers of one job."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import host_config, naming, registry_auth, script, version
from . import services as service_list
from .build_log import BuildLog
from .engine import Engine, EngineError
from .errors import Failure, JobError
from .pull import PullManager
from .services import Services
from .variables import Variables
from .volumes import Volumes


class Executor:
    """Everything that one attempt at preparing makes, and `clean` removes."""

    def __init__(
        self,
        runner: Mapping[str, Any],
        job: Mapping[str, Any],
        variables: Variables,
        log: BuildLog,
        slot: int,
    ) -> None:
        self._docker: Mapping[str, Any] = runner.get("docker") or {}
        self._job = job
        self._variables = variables
        self._log = log
        self._slot = slot
        self._name = naming.unique_name(runner, job, slot)
        self._random = naming.random_name(self._name)
        self._labels = naming.labels(runner, job, slot)
        self._builds = str(runner.get("builds_dir") or "/builds")
        self._containers: dict[str, str] = {}
        self._images: dict[str, str] = {}
        self._network = ""
        self._owns_network = False

    def prepare(self) -> None:
        self._engine = Engine(self._docker)
        name = self._image_name()
        self._log.line(f"Using Docker executor with image {name} ...")
        self._pull = PullManager(self._engine, self._log, self._docker, self._auth)
        self._make_network()
        self._volumes = Volumes(self._docker, self._name, self._random, self._labels, self._builds)
        fetches = self._variables.get("GIT_STRATEGY", "fetch") == "fetch"
        self._volumes.prepare(self._engine, self._log, keep_builds=fetches)
        self._services = Services(self._engine, self._log, self._docker)
        self._services.start(
            service_list.wanted(self._docker, self._job),
            self._pull,
            self._variables,
            self._random,
            self._labels,
            self._volumes.binds,
            self._network,
        )
        self._images["predefined"] = self._helper()
        policies = (self._job.get("image") or {}).get("pull_policy") or []
        self._images["build"] = str(self._pull.get(name, policies)["Id"])

    def _image_name(self) -> str:
        default = self._variables.expand(self._docker.get("image", ""))
        asked = self._variables.expand((self._job.get("image") or {}).get("name") or "")
        if not (asked or default):
            raise Failure("no Docker image specified to run the build in")
        allowed = self._docker.get("allowed_images", [])
        if asked and asked != default and not host_config.matches(asked, allowed):
            self._log.line(f"The {asked} is not present on list of allowed images:")
            for pattern in allowed:
                self._log.line(f"- {pattern}")
            raise JobError("disallowed image", "runner_configuration_error")
        return asked or default

    def _auth(self, image: str) -> tuple[str, dict[str, str]] | None:
        variable = self._variables.get("DOCKER_AUTH_CONFIG")
        return registry_auth.resolve(
            image, variable, Path.home(), self._job.get("credentials") or []
        )

    def _helper(self) -> str:
        """The helper image under its default name is used as it is; another by policy."""
        architecture = str(self._engine(lambda api: api.info())["Architecture"])
        flavor = self._docker.get("helper_image_flavor", "")
        default = naming.helper_image(architecture, version.VERSION, flavor)
        if configured := self._variables.expand(self._docker.get("helper_image", "")):
            self._log.line(
                f"Using helper image:  {configured}  (overridden, default would be  {default} )"
            )
            return str(self._pull.get(configured)["Id"])
        try:
            return str(self._engine.image(default)["Id"])
        except EngineError:
            self._log.line(f"Using helper image:  {default}")
            return str(self._pull.get(default)["Id"])

    def _make_network(self) -> None:
        self._network = self._docker.get("network_mode", "")
        if self._network or not self._variables.flag("FF_NETWORK_PER_BUILD", False):
            return
        name = f"{self._random}-network"
        self._engine(lambda api: api.create_network(name, labels=self._labels))
        self._network, self._owns_network = name, True

    def run(
        self,
        kind: str,
        stdin: str,
        output: Callable[[int, bytes], None],
        stopped: Callable[[], bool],
    ) -> None:
        """One script in the `build` or `predefined` container, which is made once."""
        container = self._containers.get(kind)
        if container is None:
            container = self._containers[kind] = self._create(kind)
        code = self._engine.run(container, stdin, output, stopped)
        if code and not stopped():
            raise JobError(f"exit code {code}", "script_failure", code)

    def _create(self, kind: str) -> str:
        image = self._job.get("image") or {}
        build = kind == "build"
        if build:
            self._pull.get(self._image_name(), image.get("pull_policy") or [])
        made: dict[str, Any] = {
            "image": self._images[kind],
            "hostname": self._docker.get("hostname") or self._name,
            "command": script.DETECT if build else ["sh"],
            "environment": self._variables.environment(),
            "labels": {
                **self._labels,
                f"{naming.PREFIX}.type": kind,
                **self._docker.get("container_labels", {}),
            },
            "user": self._user(image) if build else None,
            "entrypoint": self._entrypoint(image) if build else None,
        }
        settings = host_config.for_job(
            self._docker,
            image.get("name") or self._docker.get("image", ""),
            self._volumes.binds,
            self._network,
            self._services.links,
        )
        return self._engine.create(f"{self._random}-{kind}", made, settings)

    def _user(self, image: Mapping[str, Any]) -> str | None:
        options = (image.get("executor_opts") or {}).get("docker") or {}
        user = self._docker.get("user") or options.get("user")
        allowed = self._docker.get("allowed_users", [])
        if user and allowed and user not in allowed:
            raise JobError(f'user "{user}" is not an allowed user: {allowed}')
        return user or None

    def _entrypoint(self, image: Mapping[str, Any]) -> list[str] | None:
        if not image.get("entrypoint"):
            return None
        if self._docker.get("disable_entrypoint_overwrite"):
            self._log.warning("Entrypoint override disabled")
            return None
        return list(image["entrypoint"])

    def clean(self) -> None:
        """Remove all of it; what cannot be removed is said, and does not stop the rest."""
        if not hasattr(self, "_engine"):
            return
        services = self._services.containers if hasattr(self, "_services") else []
        work: list[Callable[[], Any]] = [
            lambda c=container: self._engine.remove(c)  # type: ignore[misc]
            for container in [*self._containers.values(), *services]
        ]
        if hasattr(self, "_volumes"):
            work.append(lambda: self._volumes.clean(self._engine))
        if self._owns_network:
            work.append(lambda: self._engine(lambda api: api.remove_network(self._network)))
        for step in work:
            try:
                step()
            except EngineError as error:
                self._log.error("Failed to cleanup", error=error)
