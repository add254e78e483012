"""ssh's own settings: `ssh -G` answers, and what it leaves unexpanded is expanded here."""

import os
import pwd
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.redact import plain

PATIENCE = 30  # seconds for ssh -G, which runs the commands of Match exec
# What ssh complains of, and what to do about it.
FIXES = (
    ("jumphost loop", "write ProxyJump none under a Host {0} that stands above the line for all"),
    ("Bad owner or permissions", "chmod 600 that file, and let it be yours"),
    (r"line \d+", "correct that line; ssh -G {0} reads the same"),
    ("hostname contains|Bad port", "write [user@]address[:port], or an alias of ssh's settings"),
    ("", "see what ssh -G {0} says"),
)
Arguments = tuple[str, ...]
Answer = Mapping[str, list[str]]


def answer(arguments: Arguments) -> Answer:
    """What ssh -G prints: each key, in small letters, with its values."""
    host, command = arguments[-1], ["ssh", "-GT", *_settings_at_home(), *arguments]
    try:
        ran = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise KitError(
            f"{host}: ssh -G did not answer within {PATIENCE} s",
            "look at Match exec and CanonicalizeHostname in ssh's settings",
        ) from None
    if ran.returncode:
        lines = plain(ran.stderr.decode(errors="replace")).splitlines()
        output = " | ".join(line for line in lines if not line.endswith(" configuration options"))
        fix = next(fix for pattern, fix in FIXES if re.search(pattern, output))
        raise KitError(f"{host}: ssh says: {output}", fix.format(host))
    answer: dict[str, list[str]] = {}
    for line in os.fsdecode(ran.stdout).rstrip("\n").split("\n"):
        key, _, value = line.partition(" ")
        answer.setdefault(key.lower(), []).append(value)
    return answer


def agent(values: Sequence[str]) -> str:
    """The socket of the agent that IdentityAgent names, by itself or by a variable of that name."""
    name = values[-1] if values else "SSH_AUTH_SOCK"
    if name == "SSH_AUTH_SOCK" or name.startswith("$"):
        return os.environ.get(name.removeprefix("$"), "")
    return "" if name == "none" else at_home(name)


def percent(text: str, tokens: Mapping[str, str], target: str) -> str:
    """A ProxyCommand or ProxyJump with its tokens, which ssh -G leaves as they are."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in tokens:
            raise KitError(f"{target}: ssh knows no %{match[1]} in {text}", "write %% for a %")
        return tokens[match[1]]

    return re.sub("%(.?)", value, text)


def paths(line: str) -> tuple[str, ...]:
    """Those of a line; ssh -G quotes none, so that one begins where a slash does."""
    return tuple(at_home(one) for one in re.split(" (?=[/~])", line) if one)


def path(value: str, ask: Callable[[Arguments], Answer], arguments: Arguments) -> str:
    """One that ssh -G leaves unexpanded, with its tokens as ssh expands them in others."""
    if re.search("[%$]", value):
        (value,) = ask((f'-oControlPath="{value}"', *arguments))["controlpath"]
    return at_home(value) if value else ""


def _settings_at_home() -> list[str]:
    """Where HOME is another than the account's, its file, as with everything else that is at ~."""
    file = Path("~/.ssh/config").expanduser()
    return ["-F", str(file)] if str(Path.home()) != _account() and file.is_file() else []


def at_home(path: str) -> str:
    """The same path at HOME where ssh has put it, or would put it, at the account's."""
    return str(Path(re.sub(f"^{re.escape(_account())}/", "~/", path)).expanduser())


def _account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user without a line; ssh says so itself
        return str(Path.home())
