"""Who the administrators' API takes one for, and which GitLab it is."""

from sandbox.gitlab import access
from sandbox.gitlab.routes import route
from sandbox.gitlab.web import Request, Response
from sandbox.gitlab.world import World


@route("GET /api/v4/user")
def user(world: World, request: Request) -> Response:
    """The one user there is."""
    access.administrator(world, request, "read_user")
    return Response(
        200,
        {
            "id": 1,
            "username": "root",
            "name": "Administrator",
            "state": "active",
            "is_admin": True,
            "web_url": f"{world.url}/root",
        },
    )


@route("GET /api/v4/personal_access_tokens/self")
def token(world: World, request: Request) -> Response:
    """What the token itself may do; any scope is enough to ask."""
    known = access.administrator(world, request, *access.known(world, request).scopes)
    return Response(
        200,
        {
            "id": known.id,
            "name": f"token {known.id}",
            "user_id": 1,
            "scopes": sorted(known.scopes),
            "active": True,
            "revoked": False,
            "expires_at": None,
        },
    )


@route("GET /api/v4/version")
def version(world: World, request: Request) -> Response:
    """The version that is played."""
    access.administrator(world, request, "read_user")
    return Response(200, {"version": world.seed.version, "revision": "sandbox"})


@route("GET /-/readiness")
def readiness(world: World, request: Request) -> Response:
    """For whoever waits for the server to be up."""
    return Response(200, {"status": "ok"})
