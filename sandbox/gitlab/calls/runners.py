"""What gitlab-runner asks about itself: register, verify, unregister, new token."""

from sandbox.gitlab.calls import access, options
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Request, Response, missing, refuse
from sandbox.gitlab.model import Runner, stamp
from sandbox.gitlab.state import State, registered_token


def credentials(runner: Runner) -> dict[str, object]:
    """A runner's token, told only to whoever made it or owns it."""
    expiry = stamp(runner.token_expires_at)
    return {"token": runner.token, "token_expires_at": expiry}


def register(state: State, request: Request) -> Response:
    """Make a runner from a registration token, the way that GitLab 20 takes away."""
    token = request.params.required("token")
    if not state.switches.registration_tokens:
        raise refuse(410, "runner registration disallowed")
    if token != state.seed.registration:
        raise refuse(403, "invalid token supplied")
    runner = state.new_runner("instance_type", registered_token())
    options.apply(runner, request.params)
    state.runners[runner.id] = runner
    return Response(201, {"id": runner.id, **credentials(runner)})


def verify(state: State, request: Request) -> Response:
    """Accept a token, and from a manager's first visit on know the manager."""
    runner, _ = access.manager(state, request)
    return Response(200, {"id": runner.id, **credentials(runner)})


def unregister(state: State, request: Request) -> Response:
    """Forget a runner with all its managers."""
    del state.runners[access.runner(state, request).id]
    state.queue_changed()
    return Response(204)


def unregister_manager(state: State, request: Request) -> Response:
    """Forget one manager; the runner stays."""
    runner = access.runner(state, request)
    if runner.managers.pop(request.params.required("system_id"), None) is None:
        raise missing("Runner manager")
    return Response(204)


def reset_token(state: State, request: Request) -> Response:
    """Trade a token for a new one."""
    runner = access.runner(state, request)
    state.reset_token(runner)
    return Response(201, credentials(runner))


ROUTES = [
    Route("POST /api/v4/runners", register),
    Route("POST /api/v4/runners/verify", verify),
    Route("DELETE /api/v4/runners", unregister),
    Route("DELETE /api/v4/runners/managers", unregister_manager),
    Route("POST /api/v4/runners/reset_authentication_token", reset_token),
]
