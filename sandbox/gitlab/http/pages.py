"""Lists in pages, with the headers that clients walk along."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from sandbox.gitlab.http.web import Request, Response

PER_PAGE = 20
MOST_PER_PAGE = 100


def paged(request: Request, items: Sequence[object]) -> Response:
    """The page that was asked for."""
    page = max(1, request.params.number("page") or 1)
    size = min(MOST_PER_PAGE, max(1, request.params.number("per_page") or PER_PAGE))
    last = max(1, -(-len(items) // size))
    following = page + 1 if page < last else None
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Total": str(len(items)),
        "X-Total-Pages": str(last),
        "X-Next-Page": str(following or ""),
        "X-Prev-Page": str(page - 1) if page > 1 else "",
        "Link": _links(request, {"first": 1, "next": following, "last": last}),
    }
    return Response(200, items[(page - 1) * size : page * size], headers)


def _links(request: Request, numbers: dict[str, int | None]) -> str:
    sent = [pair for pair in parse_qsl(request.query) if pair[0] != "page"]
    base = f"http://{request.headers.get('Host', '')}{request.path}"
    return ", ".join(
        f'<{base}?{urlencode([*sent, ("page", number)])}>; rel="{name}"'
        for name, number in numbers.items()
        if number is not None
    )
