"""The stages of a job that is prepared: environment, sources, scripts, clearing up."""

import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import script
from .build_log import BuildLog
from .errors import JobError
from .executor import Executor
from .log import BOLD_GREEN, RESET
from .stopping import Stopping
from .variables import Variables

AFTER_SCRIPT_TIMEOUT = 5 * 60.0
_UNSUPPORTED = {"artifacts": "artifacts", "cache": "cache", "dependencies": "artifacts of others"}


class Stages:
    def __init__(
        self,
        executor: Executor,
        log: BuildLog,
        stopping: Stopping,
        runner: Mapping[str, Any],
        payload: Mapping[str, Any],
        variables: Variables,
    ) -> None:
        self._executor = executor
        self._log = log
        self._stopping = stopping
        self._runner = runner
        self._payload = payload
        self._variables = variables
        self._directory = variables.get("CI_PROJECT_DIR")

    def run(self) -> None:
        prepare = script.prepare(self._directory, socket.gethostname())
        self._stage("predefined", "prepare_script", "Preparing environment", prepare)
        with self._log.section("get_sources", "Getting source from Git repository"):
            self._sources()
        failure = self._scripts()
        if not self._stopping.fatal():
            self._after_script(failure)
            self._clean()
        self._say_unsupported()
        if failure:
            raise failure

    def _sources(self) -> None:
        strategy = self._variables.get("GIT_STRATEGY") or "fetch"
        if strategy not in {"none", "empty"}:
            raise JobError(
                f'the stand-in runner cannot {strategy} sources; set GIT_STRATEGY to "none"',
                "runner_system_failure",
            )
        stream = self._log.stream("01O")
        for what in ("repository setup", "checkout", "submodules setup"):
            stream.write(f"{BOLD_GREEN}Skipping Git {what}{RESET}\n".encode())

    def _scripts(self) -> JobError | None:
        for step in self._payload["steps"]:
            if step["name"] == "after_script":
                continue
            name = f"step_{step['name'].lower()}"
            try:
                self._stage(
                    "build",
                    name,
                    f'Executing "{name}" stage of the job script',
                    self._step(step),
                )
            except JobError as error:
                if error.reason == "job_canceled" and not self._stopping.fatal():
                    self._log.warning("script canceled externally (UI, API)")
                return error
        return None

    def _step(self, step: Mapping[str, Any]) -> str:
        def lines() -> Iterator[str]:
            if before := self._runner.get("pre_build_script"):
                yield from script.commands([before])
            yield from script.commands(step["script"])
            if after := self._runner.get("post_build_script"):
                yield from script.commands([after])

        xtrace = self._variables.flag("CI_DEBUG_TRACE", False)
        subshell = self._variables.flag("FF_USE_NEW_BASH_EVAL_STRATEGY", False)
        return script.stage(self._variables, self._directory, lines(), xtrace, subshell)

    def _after_script(self, failure: JobError | None) -> None:
        found = [step for step in self._payload["steps"] if step["name"] == "after_script"]
        if not found or not found[0].get("script"):
            return
        status = "failed" if failure else "success"
        if failure and failure.reason == "job_canceled":
            status = "canceled"
        self._variables = self._variables.with_("CI_JOB_STATUS", status)
        lines = [script.notice("Running after script..."), *script.commands(found[0]["script"])]
        text = script.stage(self._variables, self._directory, lines)
        until = time.monotonic() + AFTER_SCRIPT_TIMEOUT
        try:
            self._stage("build", "after_script", "Running after_script", text, until)
        except JobError as error:
            if not self._stopping.fatal():
                self._log.warning(f"after_script failed, but job will continue unaffected: {error}")

    def _clean(self) -> None:
        if text := script.clean(self._variables, self._directory):
            title = "Cleaning up project directory and file based variables"
            never = time.monotonic() + AFTER_SCRIPT_TIMEOUT
            self._stage("predefined", "cleanup_file_variables", title, text, never)

    def _stage(self, kind: str, name: str, title: str, stdin: str, until: float = 0.0) -> None:
        """Run one script; with `until`, a mere cancelling does not stop it, that time does."""
        late = until > 0

        def stopped() -> bool:
            return (late and time.monotonic() > until) or self._stopping.error(late) is not None

        if stop := self._stopping.error(late):
            raise stop
        with self._log.section(name, title):
            out, err = self._log.stream("01O"), self._log.stream("01E")

            def output(number: int, data: bytes) -> None:
                (err if number == 2 else out).write(data)

            try:
                self._executor.run(kind, stdin, output, stopped)
            finally:
                out.flush()
                err.flush()
        if stop := self._stopping.error(late):
            raise stop

    def _say_unsupported(self) -> None:
        for key, what in _UNSUPPORTED.items():
            if self._payload.get(key):
                self._log.warning(f"the stand-in runner does not keep {what}; skipped")
