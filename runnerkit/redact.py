"""What people may see of a text: no secret, no colour. In time that grows as the text does."""

import re
from collections.abc import Iterator

from runnerkit.settings.secrets import may_name_secret

MASK = "***"
# A name, and what stands between it and its value: = or :, also "name": and \"name\":.
_NAMED = re.compile(
    r"""(?<![\w.-])(?<!cache )([\w.-]++)((?:\\*+["'])?+[ \t]*+(?:=>|[:=])[ \t]*+)"""
)
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*+"?+')
_OPENING = re.compile(r"""\\*+["']""")
_WORD = re.compile(r"""[^\s"',;&)}\]]*+""")
_SEVERAL = re.compile(r"\[[^\]\n]*+\]?+|\{[^}\n]*+\}?+")
_LETTER = re.compile(r"\w")
_NOTHING = re.compile(r"(?:true|false|null|none|\"\"|'')?(?![^\s,}\]])", re.IGNORECASE)
_KEY_FILE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KNOWN = re.compile(
    r"\b(?:gl[a-z]{2,6}-|GR1348941)[\w.-]{6,}"  # GitLab's tokens
    r"|(?<=://)[^\s/\"'<>?#]+(?=@)"  # who logs in to a URL
    r"|(?:(?<=bearer )|(?<=basic ))[\w.~+/=-]{6,}",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?<![\w-])--?([\w-]++)[ \t]++([^\s-]\S*+)")


def mask(text: str) -> str:
    """The text without anything that looks like a secret."""
    return _KNOWN.sub(MASK, _OPTION.sub(_option, _without_values(_without_keys(text))))


def plain(text: str) -> str:
    """The text without colours: the runner writes them even where there is no terminal."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def _option(found: re.Match[str]) -> str:
    cut = found.start(2) - found.start()
    return f"{found[0][:cut]}{MASK}" if may_name_secret(found[1]) else found[0]


def _without_keys(text: str) -> str:
    parts, at = [], 0
    for found in _KEY_FILE.finditer(text):
        if found.start() >= at:
            parts += [text[at : found.end()], MASK]
            end = text.find("-----END ", found.end())
            at = len(text) if end < 0 else end
    return "".join([*parts, text[at:]])


def _without_values(text: str) -> str:
    parts, at = [], 0
    for start, end in _values(text):
        if end > start >= at:
            parts += [text[at:start], MASK]
            at = end
    return "".join([*parts, text[at:]])


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Where the values of names stand that say that they are secrets."""
    line, last, end = 0, -1, 0
    for found in _NAMED.finditer(text):
        if found.start() < end:
            continue
        if found.end() > last:
            line = text.rfind("\n", line, found.start()) + 1 or line
            last = text.find("\n", found.end())
            last = len(text) if last < 0 else last
        if may_name_secret(found[1]) and not _NOTHING.match(text, found.end()):
            end = _end(text, found, line, last)
            yield found.end(), end


def _end(text: str, found: re.Match[str], line: int, last: int) -> int:
    """The end of the value of a name, in a line from `line` to `last`."""
    at = found.end()
    before = text[found.start() - 1 : found.start()]
    for long in ('"""', "'''"):
        if text.startswith(long, at):
            close = text.find(long, at + 3)
            return len(text) if close < 0 else close + 3
    if before in ("'", '"') and found[2][:1] not in ("'", '"', "\\"):  # "NAME=value"
        quoted = _QUOTED.match(text, found.start() - 1) if before == '"' else None
        close = quoted.end() - (quoted[0][-1] == '"') if quoted else text.find("'", at, last)
        return last if close < 0 else max(close, at)
    if text.startswith('"', at) and (quoted := _QUOTED.match(text, at)):
        return quoted.end()
    if (found[2][:1] in ("'", '"') or " " in found[2]) and (several := _SEVERAL.match(text, at)):
        return several.end()
    if opening := _OPENING.match(text, at):
        close = text.find(opening[0], opening.end(), last)
        return last if close < 0 else close + len(opening[0])
    if not _LETTER.search(text, line, found.start()):
        return last
    word = _WORD.match(text, at)
    prose = ":" in found[2] and before not in ("{", ",") and found[2][:1] not in ("'", '"', "\\")
    return at if prose or not word else word.end()
