"""A shell's patterns in ``${V#…}``, ``${V%…}`` and ``${V/…/…}``, as BuildKit's lexer has them."""

import re


class Malformed(ValueError):
    """What BuildKit refuses as well."""


def regex(pattern: str, greedy: bool) -> str:
    """A regular expression for the pattern.

    Raises:
        Malformed: an escape that BuildKit does not know.
    """
    out, rest = "", pattern
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "*":
            out += ".*" if greedy else ".*?"
        elif char == "?":
            out += "."
        elif char == "\\" and rest[:1] not in ("}", "/"):
            if rest[:1] not in ("*", "?", "\\"):
                raise Malformed(f"invalid escape \\{rest[:1]}")
            out, rest = out + re.escape(rest[0]), rest[1:]
        elif char != "\\":
            out += re.escape(char)
    return out


def trimmed(pattern: str, value: str, greedy: bool, at_end: bool) -> str:
    """The value without what the pattern matches at its beginning or end."""
    if at_end:  # the shortest from the right is only found from the left
        turned = "".join(reversed(re.findall(r"\\?.", pattern, re.DOTALL)))
        return trimmed(turned, value[::-1], greedy, False)[::-1]
    match = re.match(regex(pattern, greedy), value)
    return value[match.end() :] if match else value
