"""Projects and groups with their runners and jobs, for administrators."""

from sandbox.gitlab import access, views
from sandbox.gitlab.admin_runners import listed
from sandbox.gitlab.model import Job
from sandbox.gitlab.pages import paged
from sandbox.gitlab.routes import route
from sandbox.gitlab.seed import Group, Project
from sandbox.gitlab.web import Request, Response, missing, refuse
from sandbox.gitlab.world import World


def _project(world: World, request: Request) -> Project:
    """The project of the path, by id or by full path."""
    access.administrator(world, request)
    for project in world.projects.values():
        if request.args["id"] in (str(project.id), project.path):
            return project
    raise missing("Project")


def _group(world: World, request: Request) -> Group:
    """The group of the path, by id or by full path."""
    access.administrator(world, request)
    for group in world.groups.values():
        if request.args["id"] in (str(group.id), group.path):
            return group
    raise missing("Group")


def _job(world: World, request: Request) -> Job:
    """The job of the path, within its project."""
    project = _project(world, request)
    job = world.jobs.get(request.number("job"))
    if job is None or job.project_id != project.id:
        raise missing("Job")
    return job


@route("GET /api/v4/projects")
def projects(world: World, request: Request) -> Response:
    """All projects."""
    access.administrator(world, request)
    return paged(request, [views.project(world, known) for known in world.projects.values()])


@route("GET /api/v4/projects/:id")
def project_details(world: World, request: Request) -> Response:
    """One project."""
    return Response(200, views.project(world, _project(world, request)))


@route("GET /api/v4/groups/:id")
def group_details(world: World, request: Request) -> Response:
    """One group."""
    return Response(200, views.group(world, _group(world, request)))


@route("GET /api/v4/projects/:id/runners")
def project_runners(world: World, request: Request) -> Response:
    """Every runner that a project can use."""
    project = _project(world, request)
    return listed(world, request, lambda runner: world.serves(runner, project.id))


@route("GET /api/v4/groups/:id/runners")
def group_runners(world: World, request: Request) -> Response:
    """Every runner that a whole group can use."""
    group = _group(world, request)
    return listed(
        world,
        request,
        lambda runner: runner.runner_type == "instance_type" or group.id in runner.group_ids,
    )


@route("POST /api/v4/projects/:id/runners")
def assign(world: World, request: Request) -> Response:
    """Let one more project use a project runner."""
    project = _project(world, request)
    runner = world.runners.get(request.params.number("runner_id") or 0)
    if runner is None:
        raise missing("Runner")
    if runner.runner_type == "group_type":
        raise refuse(403, "Runner is a group runner")
    if runner.runner_type != "project_type" or project.id in runner.project_ids:
        raise refuse(400, "the runner cannot be assigned to the project")
    runner.project_ids.append(project.id)
    world.queue_changed()
    return Response(201, views.runner(world, runner))


@route("DELETE /api/v4/projects/:id/runners/:runner")
def unassign(world: World, request: Request) -> Response:
    """Take a project from a runner, unless it is its only one."""
    project = _project(world, request)
    runner = world.runners.get(request.number("runner"))
    if runner is None or project.id not in runner.project_ids:
        raise missing("Runner")
    if len(runner.project_ids) == 1:
        raise refuse(
            403, "Only one project associated with the runner. Please remove the runner instead"
        )
    runner.project_ids.remove(project.id)
    return Response(204)


@route("GET /api/v4/projects/:id/jobs")
def jobs(world: World, request: Request) -> Response:
    """The jobs of a project, newest first."""
    project = _project(world, request)
    scopes = request.params.words("scope")
    return paged(
        request,
        [
            views.job(world, job)
            for job in reversed(world.jobs.values())
            if job.project_id == project.id and (not scopes or job.status in scopes)
        ],
    )


@route("GET /api/v4/projects/:id/jobs/:job")
def job_details(world: World, request: Request) -> Response:
    """One job."""
    return Response(200, views.job(world, _job(world, request)))


@route("GET /api/v4/projects/:id/jobs/:job/trace")
def trace(world: World, request: Request) -> Response:
    """What a job has written so far."""
    return Response(200, bytes(_job(world, request).trace), {"Content-Type": "text/plain"})


@route("POST /api/v4/projects/:id/jobs/:job/cancel")
def cancel(world: World, request: Request) -> Response:
    """Ask for the end of a job."""
    job = _job(world, request)
    job.cancel(world.now())
    return Response(201, views.job(world, job))
