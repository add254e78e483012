"""What people may see of a text: no secret, no colour."""

import difflib
import re

from runnerkit.settings.secrets import NAMES

_LINE = re.compile(
    rf"""^(\W*[\w.-]*(?:{NAMES})["']?\s*[:=]\s*)\S.*$""",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(
    r"\b(gl[a-z]{2,5}-|GR1348941)[\w.-]{6,}|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<==)(?<=(?i:token|ecret|sword|h_key)=)[^\s\"]+"
)
# A variable in a list, as config.toml has those of jobs: DOCKER_AUTH_CONFIG, DB_PASS, AWS_SECRET_ACCESS_KEY.
_VARIABLE = re.compile(
    r"""(["']\w*(?:token|secret|pass|key|auth|credential)\w*=)(?:\\.|(?!["'][,\]\s]|["']$).)*""",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """The text without anything that looks like a secret."""
    lines = _LINE.sub(r"\1***", text)
    return _WORD.sub("***", _VARIABLE.sub(r"\1***", lines))


def plain(text: str) -> str:
    """The text without colours: the runner writes them even where there is no terminal."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def diff(old: str, new: str, path: str) -> str:
    """A unified diff with secrets masked, for people to read."""
    lines = difflib.unified_diff(
        mask(old).splitlines(), mask(new).splitlines(), path, path, lineterm="", n=2
    )
    return "\n".join(lines)
