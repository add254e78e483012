"""Lists in pages, with the headers that clients walk along."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from sandbox.gitlab.http.web import Request, Response

PER_PAGE = 20
MOST_PER_PAGE = 100


def paged(request: Request, items: Sequence[object]) -> Response:
    """The page that was asked for, and the way to the next one."""
    page = max(1, request.params.number("page") or 1)
    size = min(MOST_PER_PAGE, max(1, request.params.number("per_page") or PER_PAGE))
    headers = {"X-Page": str(page), "X-Per-Page": str(size), "X-Total": str(len(items))}
    if page * size < len(items):
        query = {**dict(parse_qsl(request.query)), "page": page + 1}
        base = f"http://{request.headers.get('Host', '')}{request.path}"
        headers["Link"] = f'<{base}?{urlencode(query)}>; rel="next"'
    return Response(200, items[(page - 1) * size : page * size], headers)
