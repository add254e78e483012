"""The sandbox's own interface: queue jobs, see everything, order failures."""

from sandbox.gitlab.calls import access, views
from sandbox.gitlab.http.params import BadParameter, Params
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Request, Response, missing
from sandbox.gitlab.model import Job
from sandbox.gitlab.state import Fault, State


def queue_job(state: State, request: Request) -> Response:
    """Queue a job; nothing is required, and without an image the runner uses its default one.

    image, script, tags, variables, project_id, timeout (seconds), name, protected.
    """
    access.administrator(state, request)
    params = request.params
    project_id = params.number("project_id") or next(iter(state.projects))
    if project_id not in state.projects:
        raise missing("Project")
    job = state.add_job(project_id)
    try:
        _describe(job, params)
    except BadParameter:
        del state.jobs[job.id]
        raise
    state.queue_changed()
    return Response(201, {"id": job.id})


def _describe(job: Job, params: Params) -> None:
    job.name = params.text("name", job.name)
    job.protected = params.flag("protected", job.protected)
    job.image = params.text("image")
    script = params.raw("script")
    job.script = [str(line) for line in script] if isinstance(script, list) else []
    job.tags = params.words("tags")
    job.variables = {key: str(value) for key, value in params.mapping("variables").items()}
    job.timeout = params.number("timeout") or job.timeout


def everything(state: State, request: Request) -> Response:
    """Everything but tokens."""
    access.administrator(state, request)
    runners = [
        {
            **views.runner_details(state, runner),
            "managers": [views.manager(state, found) for found in runner.managers.values()],
        }
        for runner in state.runners.values()
    ]
    jobs = [
        {
            **views.job(state, job),
            "state": job.status,
            "trace": job.trace.decode(errors="replace"),
            "runner_id": job.runner_id,
            "system_id": job.system_id,
            "exit_code": job.exit_code,
        }
        for job in state.jobs.values()
    ]
    return Response(200, {"runners": runners, "jobs": jobs, "requests": dict(state.requests)})


def switch(state: State, request: Request) -> Response:
    """Change how the server behaves from the next request on.

    registration_tokens (true or false), runner_token_seconds (the life of runner tokens from now
    on), ahead_seconds (how far its clock is ahead from now on), fail_next {endpoint ("POST
    /user/runners", "*"), status (0 cuts the connection), times, after (do the work, lose the
    answer)}.
    """
    access.administrator(state, request)
    params, switches = request.params, state.switches
    switches.registration_tokens = params.flag("registration_tokens", switches.registration_tokens)
    if "runner_token_seconds" in params:
        switches.runner_token_seconds = params.number("runner_token_seconds")
    if "ahead_seconds" in params:
        switches.ahead_seconds = params.number("ahead_seconds") or 0
    if "fail_next" in params:
        order = Params(params.mapping("fail_next"))
        status = order.number("status")
        fault = Fault(
            endpoint=order.text("endpoint", "*"),
            status=500 if status is None else status,
            times=order.number("times") or 1,
            after=order.flag("after"),
        )
        state.faults.append(fault)
    return Response(200, vars(switches))


def silence(state: State, request: Request) -> Response:
    """Have a runner, and its managers or the one of system_id, as last heard of so many seconds ago."""
    access.administrator(state, request)
    params = request.params
    runner, seconds = state.runners[params.number("runner") or 0], params.number("seconds") or 0
    system, then = params.text("system_id"), state.now() - seconds
    for manager in runner.managers.values():
        if system in ("", manager.system_id):
            manager.created_at = manager.contacted_at = then
    if not system:
        runner.created_at, runner.contacted_at = then, then if runner.managers else None
    return Response(200, {})


ROUTES = [
    Route("POST /sandbox/jobs", queue_job),
    Route("GET /sandbox/state", everything),
    Route("POST /sandbox/silence", silence),
    Route("POST /sandbox/switches", switch),
]
