"""One job from its acknowledgement to its verdict."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from . import errors, naming, variables, version
from . import log as process_log
from .api import Api
from .build_log import BuildLog
from .errors import Failure, JobError
from .executor import Executor
from .job_api import JobApi
from .stages import Stages
from .stopping import Stopping, duration
from .trace import Trace
from .trace_buffer import DEFAULT_LIMIT, TraceBuffer

PREPARE_TRIES = 3
PREPARE_PAUSE = 3.0


class Job:
    def __init__(
        self, api: Api, payload: Mapping[str, Any], system_id: str, slots: tuple[int, int]
    ) -> None:
        self.payload = payload
        self.runner = api.runner
        self._started = time.monotonic()
        self._system_id = system_id
        self._slots = slots
        self._directory = naming.project_dir(api.runner, payload)
        self._variables = variables.gather(api.runner, payload, self._directory, slots)
        self.timeout = float(payload.get("runner_info", {}).get("timeout") or 7200)
        self.stopping = Stopping(self.timeout)
        limit = int(api.runner.get("output_limit", 0)) * 1024 or DEFAULT_LIMIT
        self._api = JobApi(api, int(payload["id"]), str(payload["token"]))
        buffer = TraceBuffer(limit)
        self._trace = Trace(self._api, buffer, self.stopping.cancel, self.stopping.abort)
        features = payload.get("features") or {}
        self._fields: dict[str, object] = {
            **api.fields,
            "job": payload["id"],
            "project": payload["job_info"]["project_id"],
        }
        self._log = BuildLog(
            buffer.write,
            self._variables.flag("FF_TIMESTAMPS", True),
            self._variables.secrets(),
            bool(features.get("trace_sections")),
            self._fields,
        )
        self._reasons: Sequence[str] = features.get("failure_reasons") or []

    @property
    def url(self) -> str:
        return naming.job_url(self.payload)

    def age(self) -> float:
        return time.monotonic() - self._started

    def run(self) -> bool:
        """Blocks until the server has the verdict; whether the job succeeded."""
        reply = self._api.update("running", {})
        if reply.state == "abort":
            process_log.warning("Job was dropped by the server", **self._fields)
            return False
        if reply.canceling:
            self.stopping.cancel()
        self._trace.start()
        failure = self._attempt()
        took = {"duration_s": round(self.age(), 3)}
        if failure is None:
            self._log.info("Job succeeded", **took)
            delivered = self._trace.finish("success")
        else:
            system = failure.reason in {"runner_system_failure", "runner_interrupted"}
            kind = " (system failure)" if system else ""
            self._log.soft_error(f"Job failed{kind}: {failure}\n", **took)
            reason = errors.supported(failure.reason, self._reasons)
            delivered = self._trace.finish("failed", reason, failure.exit_code)
        if not delivered:
            process_log.error("Job trace termination failed", **self._fields)
        return failure is None

    def _attempt(self) -> JobError | None:
        try:
            self._header()
            executor = self._prepare()
        except JobError as error:
            return error
        except Exception as error:
            return _system_failure(error)
        stages = Stages(
            executor, self._log, self.stopping, self.runner, self.payload, self._variables
        )
        try:
            stages.run()
        except JobError as error:
            return error
        except Exception as error:
            return _system_failure(error)
        finally:
            executor.clean()
        return None

    def _header(self) -> None:
        name, token = self.runner.get("name", ""), process_log.short(self.runner["token"])
        self._log.line(f"Running with {version.NAME} {version.VERSION} ({version.REVISION})")
        self._log.line(f"  on {name} {token}, system ID: {self._system_id}")

    def _prepare(self) -> Executor:
        kind = self.runner.get("executor", "")
        with self._log.section("prepare_executor", f'Preparing the "{kind}" executor'):
            if kind != "docker":
                raise Failure(f"the stand-in runner has no {kind} executor, only docker")
            for _ in range(1, PREPARE_TRIES + 1):
                executor = Executor(
                    self.runner, self.payload, self._variables, self._log, self._slots[1]
                )
                try:
                    executor.prepare()
                    return executor
                except JobError:
                    executor.clean()
                    raise
                except Failure as error:
                    executor.clean()
                    if stop := self.stopping.error():
                        raise stop from error
                    self._log.soft_error(f"Preparation failed: {error}")
                    self._log.info(f"Will be retried in {duration(PREPARE_PAUSE)} ...")
                    self.stopping.wait(PREPARE_PAUSE)
                    last = error
            raise last


def _system_failure(error: Exception) -> JobError:
    return JobError(str(error) or type(error).__name__, "runner_system_failure")
