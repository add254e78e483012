"""Runners, for administrators."""

from collections.abc import Callable, Iterable

from sandbox.gitlab import access, mint, options, views
from sandbox.gitlab.model import Runner, contact_status
from sandbox.gitlab.pages import paged
from sandbox.gitlab.params import BadParameter
from sandbox.gitlab.routes import route
from sandbox.gitlab.runner_calls import credentials, minted_alike
from sandbox.gitlab.web import Request, Response, missing
from sandbox.gitlab.world import World

TYPES = ("instance_type", "group_type", "project_type")


@route("POST /api/v4/user/runners")
def create(world: World, request: Request) -> Response:
    """Make a runner; this answer is the only place that ever tells its token."""
    access.administrator(world, request, "create_runner")
    params = request.params
    params.required("runner_type")
    runner = world.new_runner(params.choice("runner_type", TYPES), mint.created_runner)
    runner.project_ids = _belongs(request, "project_type", "project_id", world.projects)
    runner.group_ids = _belongs(request, "group_type", "group_id", world.groups)
    options.apply(runner, params)
    world.runners[runner.id] = runner
    return Response(201, {"id": runner.id, **credentials(runner)})


def _belongs(request: Request, kind: str, name: str, existing: Iterable[int]) -> list[int]:
    """The one project or group that a runner of this kind must name."""
    if request.params.text("runner_type") != kind:
        return []
    number = request.params.number(name)
    if number is None:
        raise BadParameter(f"{name} is missing")
    if number not in existing:
        raise missing(name.removesuffix("_id").capitalize())
    return [number]


@route("GET /api/v4/runners")
def owned(world: World, request: Request) -> Response:
    """Runners of groups and projects; those of the instance only `/runners/all` lists."""
    access.administrator(world, request)
    return listed(world, request, lambda runner: runner.runner_type != "instance_type")


@route("GET /api/v4/runners/all")
def everyone(world: World, request: Request) -> Response:
    """All runners."""
    access.administrator(world, request)
    return listed(world, request, lambda runner: True)


def listed(world: World, request: Request, chosen: Callable[[Runner], bool]) -> Response:
    """A page of the chosen runners that pass the filters of the query, newest first."""
    passing = [
        views.runner(world, runner)
        for runner in reversed(world.runners.values())
        if chosen(runner) and _passes(world, request, runner)
    ]
    return paged(request, passing)


def _passes(world: World, request: Request, runner: Runner) -> bool:
    params = request.params
    status = params.text("status") or params.text("scope")
    contact = contact_status(runner.created_at, runner.contacted_at, world.now())
    states = {contact, "paused" if runner.paused else "active"}
    prefix = params.text("version_prefix")
    versions = [str(process.info.get("version")) for process in runner.managers.values()]
    return (
        params.text("type", runner.runner_type) == runner.runner_type
        and (not status or status in states)
        and params.flag("paused", runner.paused) == runner.paused
        and set(params.words("tag_list")) <= set(runner.tag_list)
        and (not prefix or any(version.startswith(prefix) for version in versions))
    )


def _chosen(world: World, request: Request) -> Runner:
    """The runner of the path, for a token that may manage runners."""
    access.administrator(world, request, "manage_runner")
    runner = world.runners.get(request.number("id"))
    if runner is None:
        raise missing("Runner")
    return runner


@route("GET /api/v4/runners/:id")
def show(world: World, request: Request) -> Response:
    """One runner in full."""
    return Response(200, views.runner_details(world, _chosen(world, request)))


@route("PUT /api/v4/runners/:id")
def update(world: World, request: Request) -> Response:
    """Change a runner; what it waits for may have come into its reach."""
    runner = _chosen(world, request)
    options.apply(runner, request.params)
    world.queue_changed()
    return Response(200, views.runner_details(world, runner))


@route("DELETE /api/v4/runners/:id")
def delete(world: World, request: Request) -> Response:
    """Remove a runner with all its managers."""
    del world.runners[_chosen(world, request).id]
    world.queue_changed()
    return Response(204)


@route("GET /api/v4/runners/:id/managers")
def managers(world: World, request: Request) -> Response:
    """Who speaks for a runner."""
    found = _chosen(world, request).managers.values()
    return paged(request, [views.manager(world, process) for process in reversed(found)])


@route("GET /api/v4/runners/:id/jobs")
def jobs(world: World, request: Request) -> Response:
    """What a runner has run, newest first unless `sort=asc`."""
    runner = _chosen(world, request)
    wanted = {name: request.params.text(name) for name in ("status", "system_id")}
    found = [
        views.job(world, job)
        for job in world.jobs.values()
        if job.runner_id == runner.id
        and all(value in ("", getattr(job, name)) for name, value in wanted.items())
    ]
    ascending = request.params.choice("sort", ("asc", "desc"), "desc") == "asc"
    return paged(request, found if ascending else found[::-1])


@route("POST /api/v4/runners/:id/reset_authentication_token")
def reset_token(world: World, request: Request) -> Response:
    """A new token for a runner; the old one is dead at once."""
    runner = _chosen(world, request)
    world.reset_token(runner, lambda: minted_alike(runner))
    return Response(201, credentials(runner))
