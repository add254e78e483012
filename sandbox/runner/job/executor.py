"""The docker executor: images, volumes and containers of one job."""

import re
from collections.abc import Callable

from .. import version
from ..table import Table
from . import host_config, naming, script
from .build_log import BuildLog
from .engine import Engine, EngineError
from .failure import Failure, JobError
from .pull import PullManager
from .stopping import Stopping
from .variables import expanded
from .volumes import Volumes


class Executor:
    """Everything that one attempt at preparing makes, and `clean` removes."""

    def __init__(
        self,
        runner: Table,
        job: Table,
        variables: dict[str, str],
        log: BuildLog,
        slot: int,
    ) -> None:
        self._docker = runner.table("docker")
        self._image = job.table("image")
        self._variables = variables
        self._log = log
        self._name = naming.unique_name(runner, job, slot)
        self._random = naming.random_name(self._name)
        self._labels = naming.labels(runner, job, slot)
        self._containers: dict[str, str] = {}
        self._cleaning: list[Callable[[], None]] = []

    def prepare(self) -> None:
        self._engine = Engine(self._docker)
        name = self._image_name()
        self._log.line(f"Using Docker executor with image {name} ...")
        self._pull = PullManager(self._engine, self._log, self._docker)
        self._volumes = Volumes(self._engine, self._docker, self._labels)
        self._cleaning.append(self._volumes.clean)
        self._volumes.prepare(self._variables["CI_BUILDS_DIR"], self._name, self._random)
        helper = self._helper()
        self._images = {
            "predefined": helper,
            "build": self._pull.get(name),
        }

    def _image_name(self) -> str:
        name = expanded(self._image.text("name", self._docker.text("image")), self._variables)
        if not name:
            raise Failure("no Docker image specified to run the build in")
        allowed, own = self._docker.texts("allowed_images"), self._docker.text("image")
        if allowed and name != own and not any(_matches(one, name) for one in allowed):
            self._log.line(f'The "{name}" image is not present on list of allowed images:')
            raise Failure("disallowed image")
        return name

    def _helper(self) -> str:
        """The helper image under its default name is used as it is; another by policy."""
        architecture = str(self._engine(lambda api: api.info())["Architecture"])
        default = naming.helper_image(architecture, version.VERSION)
        if configured := expanded(self._docker.text("helper_image"), self._variables):
            self._log.line(
                f"Using helper image:  {configured}  (overridden, default would be  {default} )"
            )
            return self._pull.get(configured)
        try:
            return self._engine.image(default).text("Id")
        except EngineError:
            self._log.line(f"Using helper image:  {default}")
            return self._pull.get(default)

    def run(self, kind: str, stdin: str, stopping: Stopping) -> None:
        """One script in the `build` or `predefined` container, which is made once."""
        if kind not in self._containers:
            self._containers[kind] = container = self._create(kind)
            self._cleaning.append(lambda: self._engine.remove(container))
        code = self._engine.run(self._containers[kind], stdin, self._log.output, stopping)
        if code:
            raise JobError(f"exit code {code}", "script_failure", code)

    def _create(self, kind: str) -> str:
        build = kind == "build"
        settings = {
            "image": self._images[kind],
            "hostname": self._docker.text("hostname", self._name),
            "command": script.DETECT if build else ["sh"],
            "environment": [f"{key}={value}" for key, value in self._variables.items()],
            "labels": {
                **self._labels,
                f"{naming.PREFIX}.type": kind,
                **self._docker.table("container_labels"),
            },
            "user": (self._docker.text("user") or None) if build else None,
        }
        host = host_config.for_job(self._docker, self._volumes.binds)
        return self._engine.create(f"{self._random}-{kind}", settings, host)

    def clean(self) -> None:
        """Remove all of it; what cannot be removed is said, and does not stop the rest."""
        while self._cleaning:
            try:
                self._cleaning.pop()()
            except EngineError as error:
                self._log.error("Failed to cleanup", error=error)


def _matches(pattern: str, image: str) -> bool:
    """As doublestar does: * stays within a part, ** does not."""
    parts = (re.escape(one).replace(r"\*", "[^/]*") for one in pattern.split("**"))
    return re.fullmatch(".*".join(parts), image) is not None
