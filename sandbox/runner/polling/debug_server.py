"""`listen_address`: a few metrics, readiness, state, and the list of jobs."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .. import log, version
from ..job.naming import job_url
from .pool import Pool

DEFAULT_PORT = "9252"


class DebugServer:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.state = "running"

    def start(self, address: str) -> int:
        """Serve from now on, if there is an address; the port."""
        if not address:
            log.info("listen_address not defined, metrics & debug endpoints disabled")
            return 0
        host, _, port = address.rpartition(":") if ":" in address else (address, "", DEFAULT_PORT)
        try:
            server = ThreadingHTTPServer((host, int(port)), self._handler())
        except OSError as error:
            log.fatal("Failed to create listener for metrics server", error=error)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        log.info("Metrics server listening", address=address)
        return server.server_port

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages = {
            "/health/ready": lambda: "ready\n",
            "/debug/process/state": lambda: f"{self.state}\n",
            "/debug/jobs/list": self._jobs,
            "/metrics": self._metrics,
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path)
                body = (page() if page else "404 page not found\n").encode()
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if self.path == "/debug/jobs/list":
                    self.send_header("X-List-Version", "2")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: whoever asks knows that it did."""

        return Handler

    def _jobs(self) -> str:
        return "".join(
            f"url={job_url(job.payload)} state=running stage=step_script "
            f"executor_stage=docker_run duration={job.age:.0f}s\n"
            for job in list(self._pool.jobs.values())
        )

    def _metrics(self) -> str:
        running, finished = len(self._pool.jobs), self._pool.finished
        return (
            f'gitlab_runner_version_info{{name="gitlab-runner",version="{version.VERSION}",'
            f'revision="{version.REVISION}",os="linux",architecture="{version.ARCH}"}} 1\n'
            f"gitlab_runner_concurrent {self._pool.concurrent}\n"
            f"gitlab_runner_jobs {running}\n"
            f"gitlab_runner_jobs_total {sum(finished.values()) + running}\n"
            f"gitlab_runner_failed_jobs_total {finished['failed']}\n"
            f'gitlab_runner_process_state_info{{state="{self.state}"}} 1\n'
        )
