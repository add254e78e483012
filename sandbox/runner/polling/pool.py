"""Polls the runners in turn, and runs each job that comes in a thread of its own."""

import threading
import traceback

from .. import log
from ..config.file import Config
from ..job.job import Job
from ..server.runner_api import RunnerApi
from ..table import Table
from .slots import Slots


class Pool:
    def __init__(self, config: Config, system_id: str) -> None:
        self.jobs: dict[int, Job] = {}
        self.finished = {"success": 0, "failed": 0}
        self._config = config
        self._system_id = system_id
        self._slots = Slots()
        self._apis: dict[tuple[str, ...], RunnerApi] = {}
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)

    @property
    def concurrent(self) -> int:
        return self._config.data.number("concurrent")

    def start(self) -> None:
        self._feeder.start()

    def reconfigure(self, config: Config) -> None:
        self._config = config
        self._slots.forgive()
        self._again.set()

    def stop(self) -> None:
        """No new jobs; requests that are held open are cut."""
        self._stopping.set()
        self._again.set()
        for api in list(self._apis.values()):
            api.client.stop()

    def idle(self) -> bool:
        return not any(thread.is_alive() for thread in list(self._threads))

    def abort(self, signal: str) -> None:
        for job in list(self.jobs.values()):
            job.abort(signal)

    def _feed(self) -> None:
        while not self._stopping.is_set():
            config = self._config
            interval = config.check_interval / max(len(config.runners), 1)
            for runner in config.runners:
                self._poll(runner)
                if self._sleep(interval):
                    break
            if not config.runners:
                self._sleep(config.check_interval)

    def _sleep(self, seconds: float) -> bool:
        """True when woken: a job was received, the configuration changed, or the end came."""
        woken = self._again.wait(seconds)
        self._again.clear()
        return woken

    def _poll(self, runner: Table) -> None:
        slot = None if self._stopping.is_set() else self._slots.take(runner, self.concurrent)
        if slot is not None:
            thread = threading.Thread(target=self._attempt, args=(runner, slot), daemon=True)
            self._threads = {old for old in self._threads if old.is_alive()} | {thread}
            thread.start()

    def _api(self, runner: Table) -> RunnerApi:
        """One a runner: it keeps where in the queue the runner was."""
        key = tuple(runner.text(key) for key in ("url", "token", "tls-ca-file"))
        api = self._apis.setdefault(key, RunnerApi(runner, self._config.path))
        api.runner = runner
        return api

    def _attempt(self, runner: Table, slot: int) -> None:
        try:
            api = self._api(runner)
            healthy = True
            if self._stopping.is_set():
                api.client.stop()
            try:
                payload, healthy = api.request_job(self._system_id)
            finally:
                self._slots.answered(runner, healthy)
            if payload:
                self._run(api, payload, slot)
        except Exception:
            log.error(f"Failed to process runner\n{traceback.format_exc()}")
        finally:
            self._slots.free(runner, slot)

    def _run(self, api: RunnerApi, payload: Table, slot: int) -> None:
        number = payload.number("id")
        job = self.jobs[number] = Job(api, payload, self._system_id, slot)
        log.info("Added job to processing list", **job.fields)
        if not api.runner.flag("strict_check_interval"):
            self._again.set()
        try:
            self.finished["success" if job.run() else "failed"] += 1
        finally:
            del self.jobs[number]
            log.info("Removed job from processing list", **job.fields)
