"""What a tool in a container said of an address, and what that means."""

import re
from dataclasses import dataclass

NOT_FOUND = re.compile(
    r"(?i)not known|resolv|bad address|name does not|no address associated|getaddrinfo|lookup"
)
REFUSED = re.compile(
    r"(?i)refused|timed? ?out|no route|unreachable|can't connect|failed to connect|network failure"
)
UNTRUSTED = re.compile(r"(?i)certificate|self.signed|unable to get .{0,20}issuer")


@dataclass(frozen=True)
class Attempt:
    """What a tool in the container said of an address; `code` is None where it did not end in time,
    `tool` is "nothing" where none was there."""

    tool: str
    code: int | None = None
    text: str = ""


def verdict(attempt: Attempt) -> str:
    """What a tool's end means: reached, unknown name, unreached, untrusted; "" where it tells nothing.

    Codes by curl's and GNU wget's manuals; busybox's wget has only words.
    """
    if attempt.tool == "nothing":
        return ""
    if attempt.tool == "getent":
        return "" if attempt.code == 127 else "unknown name"
    if attempt.code is None:
        return "unreached"
    if attempt.code == 0:
        return "reached"
    match attempt.tool, attempt.code:
        case ("curl", 6):
            return "unknown name"
        case ("curl", 28) if "esolv" in attempt.text:
            return "unknown name"
        case ("curl", 5 | 7 | 28):  # 5: the proxy's name
            return "unreached"
        case ("curl", 60 | 77) | ("wget", 5):
            return "untrusted"
        case ("curl", _) | ("wget", 8):
            return "reached"
    if NOT_FOUND.search(attempt.text):
        return "unknown name"
    if REFUSED.search(attempt.text) or attempt.tool == "nc":
        return "unreached"
    if UNTRUSTED.search(attempt.text):
        return "untrusted"
    return "reached" if re.search(r"(?i)HTTP|server returned", attempt.text) else ""


def host_of(url: str) -> str:
    """The host of an address."""
    return re.sub(r"^\w+://|[:/].*$", "", url.rpartition("@")[2].lower())
