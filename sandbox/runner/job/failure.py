"""How a job can end badly; what is not a JobError is the runner's own failure."""


class JobError(Exception):
    """The job fails with a reason; it is not tried again."""

    def __init__(self, message: str, reason: str = "script_failure", exit_code: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.exit_code = exit_code


class Failure(Exception):
    """Something around the job went wrong; preparing is tried again."""


def supported(reason: str, listed: list[str]) -> str:
    """A reason that the server knows: older ones get a broader one instead."""
    if reason in {"script_failure", "runner_system_failure", "job_execution_timeout", *listed}:
        return reason
    return "script_failure" if reason == "runner_configuration_error" else "runner_system_failure"
