"""How a job can end badly; what is not a JobError is the runner's own failure."""

from collections.abc import Sequence

# What a server gets instead of a reason that it does not list in `features.failure_reasons`.
_ALWAYS = {"script_failure", "runner_system_failure", "job_execution_timeout"}
_FALLBACKS = {
    "image_pull_failure": "runner_system_failure",
    "runner_configuration_error": "script_failure",
    "runner_external_dependency_failure": "runner_system_failure",
    "runner_interrupted": "runner_system_failure",
    "job_canceled": "unknown_failure",
}


class JobError(Exception):
    """The job fails with a reason; it is not tried again."""

    def __init__(self, message: str, reason: str = "script_failure", exit_code: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.exit_code = exit_code


class Failure(Exception):
    """Something around the job went wrong; preparing is tried again."""


def supported(reason: str, listed: Sequence[str]) -> str:
    if reason in _ALWAYS or reason in listed:
        return reason
    return _FALLBACKS.get(reason, "unknown_failure")
