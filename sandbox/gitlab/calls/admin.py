"""Who the administrators' API takes one for, and which GitLab it is."""

from sandbox.gitlab.calls import access
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Request, Response
from sandbox.gitlab.state import State


def user(state: State, request: Request) -> Response:
    """The one user there is."""
    access.administrator(state, request, "read_user")
    return Response(
        200,
        {
            "id": 1,
            "username": "root",
            "name": "Administrator",
            "state": "active",
            "is_admin": True,
            "web_url": f"{state.url}/root",
        },
    )


def token(state: State, request: Request) -> Response:
    """What the token itself may do; any scope is enough to ask."""
    known = access.administrator(state, request, "any")
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


def version(state: State, request: Request) -> Response:
    """The version that is played."""
    access.administrator(state, request, "read_user")
    return Response(200, {"version": state.seed.version, "revision": "sandbox"})


ROUTES = [
    Route("GET /api/v4/user", user),
    Route("GET /api/v4/personal_access_tokens/self", token),
    Route("GET /api/v4/version", version),
]
