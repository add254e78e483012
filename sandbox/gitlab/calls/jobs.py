"""What gitlab-runner asks about jobs: one to run, where it stands, and its log."""

import re
import time
import zlib

from sandbox.gitlab.calls import access
from sandbox.gitlab.calls.payload import FAILURE_REASONS, payload
from sandbox.gitlab.http.params import Params
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Request, Response, refuse
from sandbox.gitlab.model import Job
from sandbox.gitlab.state import State

KNOWN_REASONS = {*FAILURE_REASONS, "runner_interrupted", "runner_unsupported"}


def request_job(state: State, request: Request) -> Response:
    """Hand over a job, at once or as soon as one is queued; 204 when none came in time."""
    runner, system_id = access.manager(state, request)
    deadline = time.monotonic() + state.seed.poll_seconds
    # Only a runner that has seen the queue as it is waits for it to change.
    while request.params.text("last_update") == state.queue_value:
        if not state.changed.wait(deadline - time.monotonic()):
            break
    if runner.id not in state.runners:
        raise refuse(403)
    job = state.next_job(runner)
    # A stopped runner hangs up while it waits: a job given to it now would be lost.
    if job is None or not request.alive():
        return Response(204, headers={"X-GitLab-Last-Update": state.queue_value})
    job.status, job.started_at = "running", state.now()
    job.runner_id, job.system_id = runner.id, system_id
    return Response(201, payload(state, runner, job))


def update_job(state: State, request: Request) -> Response:
    """Note that a job runs, or end it once its whole trace is here."""
    job = access.job(state, request)
    outcome = request.params.required("state")
    if outcome == "running":
        return _answer(state, job, 200)
    if outcome not in ("success", "failed"):
        return _answer(state, job, 400)
    if verdict := _trace_lacks(job, request.params):
        return _answer(state, job, verdict)
    job.exit_code = request.params.number("exit_code")
    job.status, job.finished_at = outcome, state.now()
    if outcome == "failed":
        reason = request.params.text("failure_reason")
        job.failure_reason = reason if reason in KNOWN_REASONS else "unknown_failure"
    return _answer(state, job, 200)


def _trace_lacks(job: Job, params: Params) -> int:
    """202 while the trace is shorter than it was said to be, 412 when it is another, else 0."""
    output = Params(params.mapping("output"))
    checksum = output.text("checksum") or params.text("checksum")
    size = output.number("bytesize")
    if not checksum or size is None:
        return 0
    if len(job.trace) < size:
        return 202
    if checksum != f"crc32:{zlib.crc32(job.trace):08x}":
        # The runner now sends all of it again, from the first byte on.
        job.trace.clear()
        return 412
    return 0


def append_trace(state: State, request: Request) -> Response:
    """Append a piece that starts where the trace ends; else say where that is."""
    job = access.job(state, request)
    content_range = request.headers.get("Content-Range")
    if content_range is None:
        raise refuse(400, "Missing header Content-Range")
    span = re.fullmatch(r"(\d+)-(\d+)", content_range)
    fits = span is not None and int(span[1]) == len(job.trace)
    if fits:
        job.trace += request.body
    return _answer(state, job, 202 if fits else 416, {"Range": f"0-{len(job.trace)}"})


def _answer(state: State, job: Job, status: int, headers: dict[str, str] | None = None) -> Response:
    interval = str(state.seed.trace_seconds)
    own = {"Job-Status": job.status, "X-GitLab-Trace-Update-Interval": interval}
    return Response(status, headers={**own, **(headers or {})})


ROUTES = [
    Route("POST /api/v4/jobs/request", request_job),
    Route("PUT /api/v4/jobs/:id", update_job),
    Route("PATCH /api/v4/jobs/:id/trace", append_trace),
]
