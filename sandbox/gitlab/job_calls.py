"""What gitlab-runner asks about jobs: one to run, and where it stands."""

import time
import zlib

from sandbox.gitlab import access
from sandbox.gitlab.model import Job
from sandbox.gitlab.params import Params
from sandbox.gitlab.payload import FAILURE_REASONS, payload
from sandbox.gitlab.routes import route
from sandbox.gitlab.web import Request, Response, refuse
from sandbox.gitlab.world import World

# How long GitLab waits for the rest of a trace before it takes the end as it is.
ACCEPT_SECONDS = 300
KNOWN_REASONS = {*FAILURE_REASONS, "runner_interrupted", "runner_unsupported"}


@route("POST /api/v4/jobs/request")
def request_job(world: World, request: Request) -> Response:
    """Hand over a job, at once or as soon as one is queued; 204 when none came in time."""
    runner, system_id = access.heard(world, request)
    deadline = time.monotonic() + world.seed.poll_seconds
    # Only a runner that has seen the queue as it is waits for it to change.
    while request.params.text("last_update") == world.queue_value and not world.closing:
        if not world.changed.wait(deadline - time.monotonic()):
            break
    if runner.id not in world.runners:
        raise refuse(403)
    job = None if world.closing else world.next_job(runner)
    # A stopped runner hangs up while it waits: a job given to it now would be lost.
    if job is None or not request.alive():
        return Response(204, headers={"X-GitLab-Last-Update": world.queue_value})
    features = request.params.mapping("info").get("features")
    job.cancels_gracefully = isinstance(features, dict) and bool(features.get("cancel_gracefully"))
    job.status, job.started_at = "running", world.now()
    job.runner_id, job.system_id = runner.id, system_id
    return Response(201, payload(world, runner, job))


@route("PUT /api/v4/jobs/:id")
def update_job(world: World, request: Request) -> Response:
    """Note that a job runs, or end it once its whole trace is here."""
    job = access.job(world, request)
    state = request.params.required("state")
    if state == "running":
        return _answer(world, job, 200)
    if state not in ("success", "failed"):
        return _answer(world, job, 400)
    if verdict := _trace_lacks(world, job, request.params):
        return _answer(world, job, verdict)
    job.exit_code = request.params.number("exit_code")
    job.finish(state, world.now())
    if job.status == "failed":
        reason = request.params.text("failure_reason")
        job.failure_reason = reason if reason in KNOWN_REASONS else "unknown_failure"
    return _answer(world, job, 200)


def _trace_lacks(world: World, job: Job, params: Params) -> int:
    """202 while the trace is shorter than it was said to be, 412 when it is another, else 0."""
    output = Params(params.mapping("output"))
    checksum = output.text("checksum") or params.text("checksum")
    size = output.number("bytesize")
    if not checksum or size is None:
        return 0
    job.closing_since = job.closing_since or world.now()
    if len(job.trace) < size and world.now() - job.closing_since < ACCEPT_SECONDS:
        return 202
    if len(job.trace) >= size and checksum != f"crc32:{zlib.crc32(job.trace):08x}":
        # The runner now sends all of it again, from the first byte on.
        job.trace.clear()
        return 412
    return 0


def _answer(world: World, job: Job, status: int) -> Response:
    interval = str(world.seed.trace_seconds)
    headers = {"Job-Status": job.status, "X-GitLab-Trace-Update-Interval": interval}
    return Response(status, headers=headers)
