"""An image under its pull policy, in the wording of gitlab-runner 19.3."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .build_log import BuildLog
from .engine import EngineError, elapsed
from .errors import Failure, JobError

POLICIES = ("always", "if-not-present", "never")
TRIES = 3
_TRANSIENT = re.compile(
    r"dial tcp|no such host|lookup |tls:|x509|timeout|Timeout|connection re|EOF|error during connect"
)


class Images(Protocol):
    def image(self, name: str) -> dict[str, Any]: ...
    def pull(self, name: str, auth: Mapping[str, str] | None) -> None: ...


class PullManager:
    """Remembers for one job which images were settled already."""

    def __init__(
        self,
        engine: Images,
        log: BuildLog,
        docker: Mapping[str, Any],
        auth: Callable[[str], tuple[str, dict[str, str]] | None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._log = log
        self._docker = docker
        self._auth = auth
        self._pause = pause
        self._used: dict[str, str] = {}

    def get(self, name: str, asked: Sequence[str] = ()) -> dict[str, Any]:
        """The image; `asked` are the job's own policies, which replace the configured ones."""
        policies = self._policies(name, asked)
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
            self._mark(name, image)
            return image
        text = f'failed to pull image "{name}" with specified policies {shown}: {failure}'
        if isinstance(failure, JobError):
            raise JobError(text, failure.reason)
        raise Failure(text)

    def _policies(self, name: str, asked: Sequence[str]) -> list[str]:
        configured = self._docker.get("pull_policy") or []
        policies = list(asked or configured or ["always"])
        for policy in [*policies, *configured]:
            if policy not in POLICIES:
                raise Failure(f"unsupported pull_policy config: {policy!r}".replace("'", '"'))
        allowed = self._docker.get("allowed_pull_policies") or configured or ["always"]
        usable = [policy for policy in policies if policy in allowed]
        if usable:
            return usable
        if asked:
            source = "GitLab pipeline config"
        else:
            source = "Runner config" if configured else "Runner config (default)"
        raise JobError(
            f'invalid pull policy for image "{name}": pull_policy ([{" ".join(policies)}]) '
            f"defined in {source} is not one of the allowed_pull_policies ([{' '.join(allowed)}])",
            "runner_configuration_error",
        )

    def _by_policy(self, name: str, policy: str) -> dict[str, Any]:
        started = time.monotonic()
        try:
            image = self._engine.image(name)
        except EngineError as error:
            if policy == "never":
                raise Failure(f"{error} (manager.go:272:{elapsed(started)})") from error
        else:
            known = self._used.get(name) == image["Id"] or image["Id"] == name
            if policy == "never" or known:
                return image
            if policy == "if-not-present":
                self._log.line(
                    'Using locally found image version due to "if-not-present" pull policy'
                )
                return image
        return self._pull(name)

    def _pull(self, name: str) -> dict[str, Any]:
        found = self._auth(name)
        if found:
            self._log.line(f"Authenticating with credentials from {found[0]}")
        self._log.line(f"Pulling docker image {name} ...")
        for attempt in range(1, TRIES + 1):
            started = time.monotonic()
            try:
                self._engine.pull(name, found[1] if found else None)
                return self._engine.image(name)
            except EngineError as error:
                text = f"{error} (manager.go:419:{elapsed(started)})"
                if not _TRANSIENT.search(str(error)):
                    raise JobError(text, "runner_configuration_error") from error
                if attempt == TRIES:
                    raise JobError(text, "runner_external_dependency_failure") from error
                self._pause(min(2.0**attempt, 10))
        raise AssertionError("unreachable")

    def _mark(self, name: str, image: Mapping[str, Any]) -> None:
        self._used[name] = image["Id"]
        if name == image["Id"]:
            return
        digests = image.get("RepoDigests") or []
        seen = f" with digest {digests[0]}" if digests else ""
        self._log.line(f"Using docker image {image['Id']} for {name}{seen} ...")
