"""`listen_address`: a few metrics, readiness, state, and the list of jobs."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import log, version
from .pool import Pool

DEFAULT_PORT = 9252


class DebugServer:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.state = "running"

    def start(self, address: str) -> None:
        if not address:
            log.info("listen_address not defined, metrics & debug endpoints disabled")
            return
        host, colon, port = address.rpartition(":")
        if not colon:
            host, port = address, ""
        try:
            server = ThreadingHTTPServer((host, int(port or DEFAULT_PORT)), self._handler())
        except OSError as error:
            log.fatal("Failed to create listener for metrics server", error=error)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        log.info("Metrics server listening", address=address)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = outer.answer(self.path)
                body = (found or "404 page not found\n").encode()
                self.send_response(200 if found is not None else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if self.path == "/debug/jobs/list":
                    self.send_header("X-List-Version", "2")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                log.debug(format % args)

        return Handler

    def answer(self, path: str) -> str | None:
        if path == "/health/ready":
            return "ready\n"
        if path == "/debug/process/state":
            return f"{self.state}\n"
        if path == "/debug/jobs/list":
            return "".join(
                f"url={job.url} state=running stage=step_script "
                f"executor_stage=docker_run duration={job.age():.0f}s\n"
                for job in list(self._pool.jobs.values())
            )
        return self._metrics() if path == "/metrics" else None

    def _metrics(self) -> str:
        fields = self._pool.fields()
        done = self._pool.finished
        lines = [
            f'gitlab_runner_version_info{{name="gitlab-runner",version="{version.VERSION}",'
            f'revision="{version.REVISION}",os="linux",architecture="{version.ARCH}"}} 1',
            f"gitlab_runner_concurrent {fields['max_builds']}",
            f"gitlab_runner_jobs {fields['builds']}",
            f"gitlab_runner_jobs_total {sum(done.values()) + len(self._pool.jobs)}",
            f"gitlab_runner_failed_jobs_total {done['failed']}",
            f'gitlab_runner_process_state_info{{state="{self.state}"}} 1',
        ]
        return "\n".join([*lines, ""])
