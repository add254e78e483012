"""Runners, for administrators."""

from collections.abc import Callable, Container

from sandbox.gitlab.calls import access, options, views
from sandbox.gitlab.calls.runners import credentials
from sandbox.gitlab.http.pages import paged
from sandbox.gitlab.http.params import BadParameter
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Request, Response, missing
from sandbox.gitlab.model import Runner, contact_status
from sandbox.gitlab.seed import GROUPS
from sandbox.gitlab.state import State, created_token

TYPES = ("instance_type", "group_type", "project_type")


def create(state: State, request: Request) -> Response:
    """Make a runner; this answer is the only place that ever tells its token."""
    access.administrator(state, request, "create_runner")
    params = request.params
    params.required("runner_type")
    runner = state.new_runner(params.choice("runner_type", TYPES), created_token())
    runner.project_ids = _belongs(request, "project_type", "project_id", state.projects)
    runner.group_ids = _belongs(request, "group_type", "group_id", GROUPS)
    options.apply(runner, params)
    state.runners[runner.id] = runner
    return Response(201, {"id": runner.id, **credentials(runner)})


def _belongs(request: Request, kind: str, name: str, existing: Container[int]) -> list[int]:
    """The one project or group that a runner of this kind must name."""
    if request.params.text("runner_type") != kind:
        return []
    number = request.params.number(name)
    if number is None:
        raise BadParameter(f"{name} is missing")
    if number not in existing:
        raise missing(name.removesuffix("_id").capitalize())
    return [number]


def everyone(state: State, request: Request) -> Response:
    """All runners; `/runners` lists those of groups and projects only."""
    access.administrator(state, request)
    everything = request.path.endswith("/all")
    return listed(state, request, lambda one: everything or one.runner_type != "instance_type")


def of_project(state: State, request: Request) -> Response:
    """Every runner that a project can use, by its id or its full path."""
    access.administrator(state, request)
    for project in state.projects.values():
        if request.args["id"] in (str(project.id), project.path):
            number = project.id
            break
    else:
        raise missing("Project")
    return listed(state, request, lambda one: one.serves(number))


def of_group(state: State, request: Request) -> Response:
    """Every runner that a whole group can use, by its id or its path."""
    access.administrator(state, request)
    for pair in GROUPS.items():
        if request.args["id"] in map(str, pair):
            return listed(state, request, lambda one: one.runner_type != "project_type")
    raise missing("Group")


def listed(state: State, request: Request, chosen: Callable[[Runner], bool]) -> Response:
    """A page of the chosen runners that pass the filters of the query, newest first."""
    passing = [
        views.runner(state, runner)
        for runner in reversed(state.runners.values())
        if chosen(runner) and _passes(state, request, runner)
    ]
    return paged(request, passing)


def _passes(state: State, request: Request, runner: Runner) -> bool:
    params = request.params
    status = params.text("status") or params.text("scope")
    contact = contact_status(runner.created_at, runner.contacted_at, state.now())
    states = {contact, "paused" if runner.paused else "active"}
    return (
        params.text("type", runner.runner_type) == runner.runner_type
        and (not status or status in states)
        and params.flag("paused", runner.paused) == runner.paused
        and set(params.words("tag_list")) <= set(runner.tag_list)
    )


def _chosen(state: State, request: Request) -> Runner:
    """The runner of the path, for a token that may manage runners."""
    access.administrator(state, request, "manage_runner")
    runner = state.runners.get(request.number("id"))
    if runner is None:
        raise missing("Runner")
    return runner


def show(state: State, request: Request) -> Response:
    """One runner in full."""
    return Response(200, views.runner_details(state, _chosen(state, request)))


def update(state: State, request: Request) -> Response:
    """Change a runner; what it waits for may have come into its reach."""
    runner = _chosen(state, request)
    options.apply(runner, request.params)
    state.queue_changed()
    return Response(200, views.runner_details(state, runner))


def delete(state: State, request: Request) -> Response:
    """Remove a runner with all its managers."""
    del state.runners[_chosen(state, request).id]
    state.queue_changed()
    return Response(204)


def managers(state: State, request: Request) -> Response:
    """Who speaks for a runner."""
    found = _chosen(state, request).managers.values()
    return paged(request, [views.manager(state, process) for process in reversed(found)])


def jobs(state: State, request: Request) -> Response:
    """What a runner has run, newest first."""
    runner, status = _chosen(state, request), request.params.text("status")
    return paged(
        request,
        [
            views.job(state, job)
            for job in reversed(state.jobs.values())
            if job.runner_id == runner.id and status in ("", job.status)
        ],
    )


def reset_token(state: State, request: Request) -> Response:
    """A new token for a runner; the old one is dead at once."""
    runner = _chosen(state, request)
    state.reset_token(runner)
    return Response(201, credentials(runner))


ROUTES = [
    Route("POST /api/v4/user/runners", create),
    Route("GET /api/v4/runners", everyone),
    Route("GET /api/v4/runners/all", everyone),
    Route("GET /api/v4/projects/:id/runners", of_project),
    Route("GET /api/v4/groups/:id/runners", of_group),
    Route("GET /api/v4/runners/:id", show),
    Route("PUT /api/v4/runners/:id", update),
    Route("DELETE /api/v4/runners/:id", delete),
    Route("GET /api/v4/runners/:id/managers", managers),
    Route("GET /api/v4/runners/:id/jobs", jobs),
    Route("POST /api/v4/runners/:id/reset_authentication_token", reset_token),
]
