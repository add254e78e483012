"""What gitlab-runner asks about itself: register, verify, unregister, new token."""

from sandbox.gitlab import access, mint, options
from sandbox.gitlab.model import Runner, stamp
from sandbox.gitlab.routes import route
from sandbox.gitlab.web import Request, Response, missing, refuse
from sandbox.gitlab.world import World


def credentials(runner: Runner) -> dict[str, object]:
    """A runner's token, told only to whoever made it or owns it."""
    return {"token": runner.token, "token_expires_at": stamp(runner.token_expires_at)}


def minted_alike(runner: Runner) -> str:
    """A new token of the kind that the runner has."""
    created = runner.token.startswith("glrt-")
    return mint.created_runner() if created else mint.registered_runner()


@route("POST /api/v4/runners")
def register(world: World, request: Request) -> Response:
    """Make a runner from a registration token, the way that GitLab 20 takes away."""
    kind = world.seed.registration.get(request.params.required("token"))
    if not world.switches.registration_tokens:
        raise refuse(410, "runner registration disallowed")
    if kind is None:
        raise refuse(403, "invalid token supplied")
    runner = world.new_runner(kind, mint.registered_runner)
    if kind == "project_type":
        runner.project_ids = [next(iter(world.projects))]
    options.apply(runner, request.params)
    world.runners[runner.id] = runner
    return Response(201, {"id": runner.id, **credentials(runner)})


@route("POST /api/v4/runners/verify")
def verify(world: World, request: Request) -> Response:
    """Accept a token, and from a manager's first visit on know the manager."""
    runner, _ = access.heard(world, request)
    return Response(200, {"id": runner.id, **credentials(runner)})


@route("DELETE /api/v4/runners")
def unregister(world: World, request: Request) -> Response:
    """Forget a runner with all its managers."""
    del world.runners[access.runner(world, request).id]
    world.queue_changed()
    return Response(204)


@route("DELETE /api/v4/runners/managers")
def unregister_manager(world: World, request: Request) -> Response:
    """Forget one manager; the runner stays."""
    runner = access.runner(world, request)
    if runner.managers.pop(request.params.required("system_id"), None) is None:
        raise missing("Runner manager")
    return Response(204)


@route("POST /api/v4/runners/reset_authentication_token")
def reset_own_token(world: World, request: Request) -> Response:
    """Trade a token for a new one."""
    runner = access.runner(world, request)
    world.reset_token(runner, lambda: minted_alike(runner))
    return Response(201, credentials(runner))
