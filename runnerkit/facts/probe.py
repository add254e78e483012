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
class Probe:
    """What a tool in the container said of an address; `code` is None where it did not end in time,
    `tool` is "nothing" where none was there."""

    tool: str
    code: int | None = None
    text: str = ""


def verdict(probe: Probe) -> str:
    """What a tool's end means: reached, unknown name, unreached, untrusted; "" where it tells nothing.

    Codes by curl's and GNU wget's manuals; busybox's wget has only words.
    """
    if probe.tool == "nothing":
        return ""
    if probe.tool == "getent":
        return "" if probe.code == 127 else "unknown name"
    if probe.code is None:
        return "unreached"
    if probe.code == 0:
        return "reached"
    match probe.tool, probe.code:
        case ("curl", 5 | 6):
            return "unknown name"
        case ("curl", 28) if "esolv" in probe.text:
            return "unknown name"
        case ("curl", 7 | 28):
            return "unreached"
        case ("curl", 60 | 77) | ("wget", 5):
            return "untrusted"
        case ("curl", _) | ("wget", 8):
            return "reached"
    if NOT_FOUND.search(probe.text):
        return "unknown name"
    if REFUSED.search(probe.text) or probe.tool == "nc":
        return "unreached"
    if UNTRUSTED.search(probe.text):
        return "untrusted"
    return "reached" if re.search(r"(?i)HTTP|server returned", probe.text) else ""
