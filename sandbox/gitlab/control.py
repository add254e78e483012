"""The sandbox's own interface: queue jobs, see everything, order failures."""

from sandbox.gitlab import access, views
from sandbox.gitlab.model import Job
from sandbox.gitlab.params import BadParameter, Params
from sandbox.gitlab.routes import route
from sandbox.gitlab.web import Request, Response, missing, refuse
from sandbox.gitlab.world import Fault, World


def _keeper(world: World, request: Request) -> None:
    """The token with the scope `api`; here it holds even after `expire_tokens`."""
    if "api" not in access.known(world, request).scopes:
        raise refuse(403)


@route("POST /sandbox/jobs")
def queue_job(world: World, request: Request) -> Response:
    """Queue a job; nothing is required, and without an image the runner uses its default one.

    image, services (names, or objects as in a job), pull_policy, script, after_script, tags,
    variables, project_id, timeout (seconds), name, stage, ref, protected, artifacts (paths),
    dependencies (ids of jobs).
    """
    _keeper(world, request)
    params = request.params
    project_id = params.number("project_id") or next(iter(world.projects))
    if project_id not in world.projects:
        raise missing("Project")
    job = world.add_job(project_id)
    try:
        _describe(job, params)
    except BadParameter:
        del world.jobs[job.id]
        raise
    world.queue_changed()
    return Response(201, {"id": job.id})


def _describe(job: Job, params: Params) -> None:
    job.name = params.text("name", job.name)
    job.stage = params.text("stage", job.stage)
    job.ref = params.text("ref", job.ref)
    job.protected = params.flag("protected", job.protected)
    job.image = _image(params.raw("image"))
    if policies := params.words("pull_policy"):
        job.image["pull_policy"] = policies
    services = params.raw("services")
    job.services = [_image(item) for item in services] if isinstance(services, list) else []
    job.script = _lines(params, "script")
    job.after_script = _lines(params, "after_script")
    job.tags = params.words("tags")
    job.variables = {key: str(value) for key, value in params.mapping("variables").items()}
    job.artifact_paths = params.words("artifacts")
    job.dependencies = [int(number) for number in params.words("dependencies")]
    job.timeout = params.number("timeout") or job.timeout


def _image(sent: object) -> dict[str, object]:
    """An image by name or in full; none at all leaves the choice to the runner."""
    if isinstance(sent, dict):
        return dict(sent)
    return {"name": str(sent)} if sent else {}


def _lines(params: Params, name: str) -> list[str]:
    sent = params.raw(name)
    return [str(line) for line in sent] if isinstance(sent, list) else [str(sent)] if sent else []


@route("DELETE /sandbox/jobs")
def forget_jobs(world: World, request: Request) -> Response:
    """Empty the queue and the history; a job that runs finds its token gone."""
    _keeper(world, request)
    world.jobs.clear()
    return Response(204)


@route("GET /sandbox/state")
def state(world: World, request: Request) -> Response:
    """Everything but tokens."""
    _keeper(world, request)
    runners = [
        {
            **views.runner_details(world, runner),
            "managers": [views.manager(world, found) for found in runner.managers.values()],
        }
        for runner in world.runners.values()
    ]
    jobs = [
        {
            **views.job(world, job),
            "state": job.status,
            "trace": job.trace.decode(errors="replace"),
            "runner_id": job.runner_id,
            "system_id": job.system_id,
            "exit_code": job.exit_code,
        }
        for job in world.jobs.values()
    ]
    return Response(200, {"runners": runners, "jobs": jobs, "requests": dict(world.requests)})


@route("POST /sandbox/switches")
def switch(world: World, request: Request) -> Response:
    """Change how the server behaves from the next request on.

    registration_tokens, expire_tokens (both true or false), runner_token_seconds (the life of
    runner tokens from now on), fail_next {endpoint ("POST /user/runners", "*"), status (0 cuts
    the connection), times, after (do the work, lose the answer)}.
    """
    _keeper(world, request)
    params, switches = request.params, world.switches
    switches.registration_tokens = params.flag("registration_tokens", switches.registration_tokens)
    switches.expire_tokens = params.flag("expire_tokens", switches.expire_tokens)
    if "runner_token_seconds" in params:
        switches.runner_token_seconds = params.number("runner_token_seconds")
    if "fail_next" in params:
        order = Params(params.mapping("fail_next"))
        status = order.number("status")
        fault = Fault(
            endpoint=order.text("endpoint", "*"),
            status=500 if status is None else status,
            times=order.number("times") or 1,
            after=order.flag("after"),
        )
        world.faults.append(fault)
    return Response(200, vars(switches))
