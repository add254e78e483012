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
    parts: list[list[str]] = [[]]
    letters = iter(range(len(pattern)))
    for at in letters:
        char, after = pattern[at], pattern[at + 1 : at + 2]
        if char == "*":
            if parts[-1] or len(parts) == 1:  # of two stars in a row one is enough
                parts.append([])
        elif char == "?":
            parts[-1].append(".")
        elif char == "\\" and after not in ("}", "/"):
            if after not in ("*", "?", "\\"):
                raise Malformed(f"invalid escape \\{after}")
            parts[-1].append(re.escape(after))
            next(letters)
        elif char != "\\":
            parts[-1].append(re.escape(char))
    first, *inner = map("".join, parts)
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
