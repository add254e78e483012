"""Jobs of a project, as people read them."""

from sandbox.gitlab.calls import access, views
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Request, Response, missing
from sandbox.gitlab.model import Job
from sandbox.gitlab.state import State


def _chosen(state: State, request: Request) -> Job:
    """The job of the path, whose project is named by its id or its full path."""
    access.administrator(state, request)
    for project in state.projects.values():
        if request.args["project"] in (str(project.id), project.path):
            job = state.jobs.get(request.number("id"))
            if job is None or job.project_id != project.id:
                raise missing("Job")
            return job
    raise missing("Project")


def show(state: State, request: Request) -> Response:
    """One job, with the manager that had it."""
    job = _chosen(state, request)
    owner = state.runners.get(job.runner_id or 0)
    process = owner.managers.get(job.system_id or "") if owner else None
    view = views.job(state, job)
    del view["project"]  # only a list of a runner's jobs has it so
    return Response(
        200, {**view, "runner_manager": views.manager(state, process) if process else None}
    )


def trace(state: State, request: Request) -> Response:
    """Its log as it is, in plain text."""
    return Response(200, text=bytes(_chosen(state, request).trace))


ROUTES = [
    Route("GET /api/v4/projects/:project/jobs/:id", show),
    Route("GET /api/v4/projects/:project/jobs/:id/trace", trace),
]
