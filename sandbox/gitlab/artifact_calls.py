"""Files that jobs leave behind; the helper container sends and fetches them."""

from email.message import Message
from email.parser import BytesHeaderParser

from sandbox.gitlab import access
from sandbox.gitlab.routes import route
from sandbox.gitlab.web import Request, Response, missing, refuse
from sandbox.gitlab.world import World


@route("POST /api/v4/jobs/:id/artifacts")
def upload(world: World, request: Request) -> Response:
    """Keep the part named `file`."""
    job = access.job(world, request)
    kind = request.params.text("artifact_type") or "archive"
    for headers, content in _parts(request.headers, request.body):
        if headers.get_param("name", header="content-disposition") == "file":
            job.artifacts[kind] = (headers.get_filename("artifacts.zip"), content)
            return Response(201)
    raise refuse(400, "file is missing")


@route("GET /api/v4/jobs/:id/artifacts")
def download(world: World, request: Request) -> Response:
    """Give the archive to the job itself and to those that depend on it."""
    job = access.job(world, request, finished=True)
    if "archive" not in job.artifacts:
        raise missing("Artifacts")
    filename, content = job.artifacts["archive"]
    disposition = f'attachment; filename="{filename}"'
    return Response(
        200,
        content,
        {"Content-Type": "application/zip", "Content-Disposition": disposition},
    )


def _parts(headers: Message, body: bytes) -> list[tuple[Message, bytes]]:
    """The parts of a multipart body; by hand, since the email package rewrites line ends."""
    boundary = headers.get_boundary()
    if boundary is None:
        raise refuse(400, "multipart/form-data expected")
    parts = []
    for part in (b"\r\n" + body).split(f"\r\n--{boundary}".encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        parts.append((BytesHeaderParser().parsebytes(head + b"\r\n\r\n"), content))
    return parts
