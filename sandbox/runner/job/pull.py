"""An image under its pull policy, in the wording of gitlab-runner 19.3."""

import re
import time
from collections.abc import Callable
from typing import Protocol

from ..table import Table
from .build_log import BuildLog
from .engine import EngineError
from .failure import Failure, JobError

POLICIES = ("always", "if-not-present", "never")
TRIES = 3
_TRANSIENT = re.compile(
    r"dial tcp|no such host|lookup |tls:|x509|timeout|Timeout|connection re|EOF|error during connect"
)


class Images(Protocol):
    def image(self, name: str) -> Table: ...
    def pull(self, name: str) -> None: ...


class PullManager:
    """Remembers for one job which images were settled already."""

    def __init__(
        self,
        engine: Images,
        log: BuildLog,
        docker: Table,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._log = log
        self._docker = docker
        self._pause = pause
        self._used: dict[str, str] = {}

    def get(self, name: str) -> str:
        """The image's id."""
        policies = self._policies()
        shown = f"[{' '.join(policies)}]"
        self._log.line(f"Using effective pull policy of {shown} for container {name}")
        failure: Exception = Failure("no pull policy")
        for attempt, policy in enumerate(policies, 1):
            if attempt > 1:
                self._log.info(f'Attempt #{attempt}: Trying "{policy}" pull policy')
            try:
                image = self._by_policy(name, policy)
            except (Failure, JobError) as error:
                failure = error
                self._log.warning(f'Failed to pull image with policy "{policy}": {error}')
                continue
            return self._mark(name, image)
        text = f'failed to pull image "{name}" with specified policies {shown}: {failure}'
        if isinstance(failure, JobError):
            raise JobError(text, failure.reason)
        raise Failure(text)

    def _policies(self) -> list[str]:
        policies = self._docker.texts("pull_policy") or ["always"]
        for policy in policies:
            if policy not in POLICIES:
                raise Failure(f'unsupported pull_policy config: "{policy}"')
        return policies

    def _by_policy(self, name: str, policy: str) -> Table:
        try:
            image = self._engine.image(name)
        except EngineError as error:
            if policy == "never":
                raise Failure(f"{error} (manager.go:272:0s)") from error
        else:
            if policy == "never" or self._used.get(name) == image["Id"] or image["Id"] == name:
                return image
            if policy == "if-not-present":
                self._log.line(
                    'Using locally found image version due to "if-not-present" pull policy'
                )
                return image
        return self._pull(name)

    def _pull(self, name: str) -> Table:
        self._log.line(f"Pulling docker image {name} ...")
        for attempt in range(1, TRIES + 1):
            try:
                self._engine.pull(name)
                return self._engine.image(name)
            except EngineError as error:
                text = f"{error} (manager.go:419:0s)"
                if not _TRANSIENT.search(str(error)):
                    raise JobError(text, "runner_configuration_error") from error
                if attempt == TRIES:
                    raise JobError(text, "runner_external_dependency_failure") from error
                self._pause(min(2.0**attempt, 10))
        raise AssertionError("unreachable")

    def _mark(self, name: str, image: Table) -> str:
        self._used[name] = image.text("Id")
        digest = " with digest ".join(["", *image.texts("RepoDigests")[:1]])
        if name != image["Id"]:
            self._log.line(f"Using docker image {image['Id']} for {name}{digest} ...")
        return image.text("Id")
