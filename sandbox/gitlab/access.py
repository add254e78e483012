"""Who is asking: an administrator, a runner or a job."""

from sandbox.gitlab.model import Job, Runner
from sandbox.gitlab.seed import AccessToken
from sandbox.gitlab.web import Refusal, Request, refuse
from sandbox.gitlab.world import World

# What GitLab names a manager that does not say its system_id.
LEGACY = "<legacy>"


def known(world: World, request: Request) -> AccessToken:
    """The access token of a request, expired or not."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = world.seed.access.get(request.headers.get("PRIVATE-TOKEN", bearer))
    if token is None:
        raise refuse(401)
    return token


def administrator(world: World, request: Request, *scopes: str) -> AccessToken:
    """An access token with the scope `api`, or one of those that are enough here."""
    token = known(world, request)
    if token.expired or world.switches.expire_tokens:
        explained = "Token is expired. You can either do re-authorization or token refresh."
        raise Refusal(401, {"error": "invalid_token", "error_description": explained})
    enough = {"api", *scopes} | ({"read_api"} if request.method == "GET" else set())
    if not token.scopes & enough:
        raise Refusal(
            403,
            {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the"
                " access token.",
                "scope": " ".join(sorted(enough)),
            },
        )
    return token


def runner(world: World, request: Request) -> Runner:
    """The runner whose authentication token came with the request."""
    found = world.runner_by_token(request.params.required("token"))
    if found is None:
        raise refuse(403)
    return found


def heard(world: World, request: Request) -> tuple[Runner, str]:
    """That runner, noted as contacted through the manager that speaks; and its system_id."""
    found = runner(world, request)
    system_id = request.params.text("system_id", LEGACY)
    manager = world.contact(found, system_id, request.peer)
    if info := request.params.mapping("info"):
        manager.info = info
    return found, system_id


def job(world: World, request: Request, finished: bool = False) -> Job:
    """The job of the path, which must run still, by its own token."""
    found = world.jobs.get(request.number("id"))
    token = request.params.text("token") or request.headers.get("JOB-TOKEN")
    if found is None or found.token != token:
        raise refuse(403)
    if not finished and not found.running:
        raise refuse(403, "Job is not running", {"Job-Status": found.status})
    owner = world.runners.get(found.runner_id or 0)
    if owner and found.system_id and not finished:
        world.contact(owner, found.system_id, request.peer)
    return found
