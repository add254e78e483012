"""One job from its acknowledgement to its verdict."""

import socket
import time

from .. import log as process_log
from .. import version
from ..log import BOLD_GREEN, RESET, short
from ..server.job_api import JobApi, over
from ..server.runner_api import RunnerApi
from ..server.trace import Trace
from ..table import Table
from . import naming, script, variables
from .build_log import BuildLog
from .executor import Executor
from .failure import Failure, JobError, supported
from .stopping import Stopping, duration

DEFAULT_TIMEOUT = 7200
PREPARE_TRIES = 3
PREPARE_PAUSE = 3.0


class Job:
    def __init__(self, api: RunnerApi, payload: Table, system_id: str, slot: int) -> None:
        self.payload = payload
        self._runner = api.runner
        self._started = time.monotonic()
        self._system_id = system_id
        self._slot = slot
        self._directory = naming.project_dir(api.runner, payload)
        self._variables = variables.gather(api.runner, payload, self._directory, slot)
        timeout = payload.table("runner_info").number("timeout") or DEFAULT_TIMEOUT
        self._stopping = Stopping(timeout)
        self._api = JobApi(api, payload.number("id"), payload.text("token"))
        self._trace = Trace(self._api, self.abort)
        project = payload.table("job_info").number("project_id")
        self.fields: dict[str, object] = {**api.fields, "job": payload["id"], "project": project}
        self._log = BuildLog(self._trace.write, variables.secrets(payload), self.fields)

    @property
    def age(self) -> float:
        """Seconds since it came."""
        return time.monotonic() - self._started

    def abort(self, signal: str = "") -> None:
        """End it: the runner must stop, or the server has no more use for it."""
        if signal:
            self._stopping.stop(JobError(f"aborted: {signal}", "runner_interrupted"))
        else:
            self._stopping.stop(JobError("canceled", "job_canceled"))

    def run(self) -> bool:
        """Blocks until the server has the verdict; whether the job succeeded."""
        if over(self._api.update("running", {})):
            process_log.warning("Job was dropped by the server", **self.fields)
            return False
        self._trace.start()
        error = self._attempt()
        took = round(self.age, 3)
        if error is None:
            self._log.info("Job succeeded", duration_s=took)
            delivered = self._trace.finish("success")
        else:
            system = error.reason in {"runner_system_failure", "runner_interrupted"}
            kind = " (system failure)" if system else ""
            self._log.error(f"Job failed{kind}: {error}\n", duration_s=took)
            reason = supported(
                error.reason, self.payload.table("features").texts("failure_reasons")
            )
            delivered = self._trace.finish("failed", reason, error.exit_code)
        if not delivered:
            process_log.error("Job trace termination failed", **self.fields)
        return error is None

    def _attempt(self) -> JobError | None:
        name, token = self._runner.text("name"), short(self._runner.text("token"))
        self._log.line(f"Running with {version.NAME} {version.VERSION} ({version.REVISION})")
        self._log.line(f"  on {name} {token}, system ID: {self._system_id}")
        try:
            with self._stopping.clock():
                executor = self._prepared()
                try:
                    self._run(executor)
                finally:
                    executor.clean()
        except JobError as error:
            return error
        except Exception as error:
            return JobError(str(error) or type(error).__name__, "runner_system_failure")
        return None

    def _prepared(self) -> Executor:
        kind = self._runner.text("executor")
        with self._log.section("prepare_executor", f'Preparing the "{kind}" executor'):
            if kind != "docker":
                raise Failure(f"the stand-in runner has no {kind} executor, only docker")
            for _ in range(PREPARE_TRIES):
                executor = Executor(
                    self._runner, self.payload, self._variables, self._log, self._slot
                )
                try:
                    executor.prepare()
                    return executor
                except JobError:
                    executor.clean()
                    raise
                except Failure as error:
                    executor.clean()
                    self._log.error(f"Preparation failed: {error}")
                    self._log.info(f"Will be retried in {duration(PREPARE_PAUSE)} ...")
                    self._stopping.wait(PREPARE_PAUSE)
                    last = error
            raise last

    def _run(self, executor: Executor) -> None:
        prepare = script.prepare(self._directory, socket.gethostname())
        self._stage(executor, "prepare_script", "Preparing environment", prepare)
        with self._log.section("get_sources", "Getting source from Git repository"):
            if self._variables.get("GIT_STRATEGY") not in {"none", "empty"}:
                raise Failure('the stand-in runner fetches no sources: set GIT_STRATEGY to "none"')
            self._log.line(f"{BOLD_GREEN}Skipping Git checkout{RESET}")
        for step in self.payload.tables("steps"):
            name = f"step_{step.text('name')}"
            text = script.stage(self._variables, self._directory, step.texts("script"))
            self._stage(executor, name, f'Executing "{name}" stage of the job script', text)

    def _stage(self, executor: Executor, name: str, title: str, stdin: str) -> None:
        with self._log.section(name, title):
            kind = "predefined" if name == "prepare_script" else "build"
            executor.run(kind, stdin, self._stopping)
