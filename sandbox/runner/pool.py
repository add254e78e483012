"""Polls the runners in turn, and runs each job that comes in a thread of its own."""

import threading
import traceback
from typing import Any

from . import log
from .api import Api
from .config import Config, Runner
from .health import Health
from .job import Job
from .slots import Slots


class Pool:
    def __init__(self, config: Config, system_id: str) -> None:
        self.health = Health()
        self.jobs: dict[int, Job] = {}
        self.finished: dict[str, int] = {"success": 0, "failed": 0}
        self._config = config
        self._system_id = system_id
        self._slots = Slots()
        self._apis: dict[tuple[Any, ...], Api] = {}
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)

    def start(self) -> None:
        self._feeder.start()

    def reconfigure(self, config: Config) -> None:
        self._config = config
        self.health = Health()
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
            job.stopping.abort(signal)

    def fields(self) -> dict[str, object]:
        return {"builds": len(self.jobs), "max_builds": self._config.concurrent}

    def _feed(self) -> None:
        while not self._stopping.is_set():
            config = self._config
            interval = config.check_interval / max(len(config.runners), 1)
            for runner in config.runners:
                self._poll(runner, config.concurrent)
                if self._sleep(interval, runner):
                    break
            if not config.runners:
                self._sleep(config.check_interval, None)

    def _sleep(self, seconds: float, runner: Runner | None) -> bool:
        """True when woken: a job was received, the configuration changed, or the end came."""
        woken = self._again.wait(seconds)
        self._again.clear()
        return woken

    def _poll(self, runner: Runner, concurrent: int) -> None:
        if self._stopping.is_set() or not self.health.may_poll(runner):
            return
        if not self._slots.take(runner, concurrent):
            return
        thread = threading.Thread(target=self._attempt, args=(runner,), daemon=True)
        self._threads = {old for old in self._threads if old.is_alive()} | {thread}
        thread.start()

    def _api(self, runner: Runner) -> Api:
        key = tuple(runner.get(k, "") for k in ("url", "token", "tls-ca-file", "tls-cert-file"))
        api = self._apis.get(key)
        if api is None:
            api = self._apis[key] = Api(runner, self._config.path)
        api.runner = dict(runner)
        return api

    def _attempt(self, runner: Runner) -> None:
        try:
            api = self._api(runner)
            try:
                payload, healthy = api.request_job(self._system_id)
            finally:
                self._slots.asked(runner)
            self.health.mark(runner, healthy)
            if payload:
                self._run(api, runner, payload)
        except Exception:
            log.error(f"Failed to process runner\n{traceback.format_exc()}", **self.fields())
        finally:
            self._slots.give_back(runner)

    def _run(self, api: Api, runner: Runner, payload: dict[str, Any]) -> None:
        project = int(payload["job_info"]["project_id"])
        numbers = self._slots.number(runner, project)
        job = Job(api, payload, self._system_id, numbers)
        fields: dict[str, object] = {"job": payload["id"], "project": project}
        self.jobs[int(payload["id"])] = job
        log.info("Added job to processing list", **fields, **self.fields())
        if not runner.get("strict_check_interval"):
            self._again.set()
        try:
            succeeded = job.run()
            self.finished["success" if succeeded else "failed"] += 1
        finally:
            del self.jobs[int(payload["id"])]
            self._slots.free(runner, project, numbers)
            log.info("Removed job from processing list", **fields, **self.fields())
