"""Who is asking: an administrator, a runner or a job."""

from sandbox.gitlab.http.web import Refusal, Request, refuse
from sandbox.gitlab.model import Job, Runner
from sandbox.gitlab.seed import AccessToken
from sandbox.gitlab.state import State

# What GitLab names a manager that does not say its system_id.
LEGACY = "<legacy>"


def administrator(state: State, request: Request, *scopes: str) -> AccessToken:
    """An access token with the scope `api`, or one of those that are enough here."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = state.seed.access.get(request.headers.get("PRIVATE-TOKEN", bearer))
    if token is None:
        raise refuse(401)
    if token.expired:
        explained = "Token is expired. You can either do re-authorization or token refresh."
        raise Refusal(401, {"error": "invalid_token", "error_description": explained})
    enough = {"api", *scopes} | ({"read_api"} if request.method == "GET" else set())
    if token.scopes & enough or "any" in scopes:
        return token
    raise Refusal(
        403,
        {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the"
            " access token.",
            "scope": " ".join(sorted(enough)),
        },
    )


def runner(state: State, request: Request) -> Runner:
    """The runner whose authentication token came with the request."""
    found = state.runner_by_token(request.params.required("token"))
    if found is None:
        raise refuse(403)
    return found


def manager(state: State, request: Request) -> tuple[Runner, str]:
    """That runner, noted as contacted through the manager that speaks; and its system_id."""
    found = runner(state, request)
    system_id = request.params.text("system_id", LEGACY)
    process = state.contact(found, system_id, request.peer)
    process.info = request.params.mapping("info") or process.info
    return found, system_id


def job(state: State, request: Request) -> Job:
    """The job of the path, which must run still, by its own token."""
    found = state.jobs.get(request.number("id"))
    token = request.params.text("token") or request.headers.get("JOB-TOKEN")
    if found is None or found.token != token:
        raise refuse(403)
    if found.status != "running":
        raise refuse(403, "Job is not running", {"Job-Status": found.status})
    owner = state.runners.get(found.runner_id or 0)
    if owner and found.system_id:
        state.contact(owner, found.system_id, request.peer)
    return found
