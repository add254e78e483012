"""A shell's patterns in ``${V#…}``, ``${V%…}`` and ``${V/…/…}``, as BuildKit's lexer has them."""

import re


class Malformed(ValueError):
    """What BuildKit refuses as well."""


def regex(pattern: str, greedy: bool) -> str:
    """A regular expression for the pattern, which no text takes long to match.

    What stands between two stars is looked for once: where it comes first, most is left for the rest.

    Raises:
        Malformed: an escape that BuildKit does not know.
    """
    parts, rest = [""], pattern
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "*":
            parts.append("")
        elif char == "?":
            parts[-1] += "."
        elif char == "\\" and rest[:1] not in ("}", "/"):
            if rest[:1] not in ("*", "?", "\\"):
                raise Malformed(f"invalid escape \\{rest[:1]}")
            parts[-1], rest = parts[-1] + re.escape(rest[0]), rest[1:]
        elif char != "\\":
            parts[-1] += re.escape(char)
    first, *inner = parts
    if not inner:
        return first
    last = inner.pop()
    star = ".*" if greedy else ".*?"
    return first + "".join(f"(?>.*?{one})" for one in inner) + star + last


def trimmed(pattern: str, value: str, greedy: bool, at_end: bool) -> str:
    """The value without what the pattern matches at its beginning or end."""
    if at_end:  # the shortest from the right is only found from the left
        turned = "".join(reversed(re.findall(r"\\?.", pattern, re.DOTALL)))
        return trimmed(turned, value[::-1], greedy, False)[::-1]
    match = re.match(regex(pattern, greedy), value)
    return value[match.end() :] if match else value
