"""The log of a job, which its runner sends piece by piece."""

import re

from sandbox.gitlab import access
from sandbox.gitlab.routes import route
from sandbox.gitlab.web import Request, Response, refuse
from sandbox.gitlab.world import World


@route("PATCH /api/v4/jobs/:id/trace")
def append_trace(world: World, request: Request) -> Response:
    """Append a piece that starts where the trace ends; else say where that is."""
    job = access.job(world, request)
    content_range = request.headers.get("Content-Range")
    if content_range is None:
        raise refuse(400, "Missing header Content-Range")
    span = re.fullmatch(r"(\d+)-(\d+)", content_range)
    if span is None or int(span[1]) != len(job.trace):
        raise refuse(416, headers={"Range": f"0-{len(job.trace)}", "Job-Status": job.status})
    job.trace += request.body
    return Response(
        202,
        headers={
            "Job-Status": job.status,
            "Range": f"0-{len(job.trace)}",
            "X-GitLab-Trace-Update-Interval": str(world.seed.trace_seconds),
        },
    )
