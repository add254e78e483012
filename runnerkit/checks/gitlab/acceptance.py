"""GitLab accepts every wanted runner. Read from the answer: exit codes of ``verify`` mislead."""

import re
from collections.abc import Iterator
from dataclasses import replace

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.plan import CAUSES, Hint
from runnerkit.redact import plain
from runnerkit.want import Want, WantedRunner

ACCEPTED = re.compile(r"is (valid|alive)\b.*?runner=(\S+)")
ENDED_CAUSES = (
    Hint(
        "in a stopped container|[Cc]ontainer \\S+ is (not running|restarting)",
        "the manager ended while it was asked: ./inv runner.logs --host HOST --errors tells why",
    ),
)
REFUSED = re.compile(r"(?:is not valid|is removed|403).*?runner=(\S+)")

GONE = Kind(
    "runner-refused",
    Level.ERROR,
    "GitLab no longer accepts runner {name}: its token was revoked or the runner deleted",
    "remove its [[runners]] entry from {config} and run again to register anew",
)
TOKEN_GONE = Kind(
    GONE.code,
    GONE.level,
    GONE.what,
    "make a new one at GitLab and put it into {source}: bootstrap changes the runner over to it",
)
UNVERIFIED = Kind(
    "runner-unverified",
    Level.ERROR,
    "runner {name} could not be verified with {url} from the host: {answer}",
    "check that the host reaches GitLab (DNS, firewall, certificate), then run again",
)
KINDS = (GONE, TOKEN_GONE, UNVERIFIED)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,), manager=True)


def accepted(want: Want, have: Facts) -> list[str]:
    """The names of the wanted runners that GitLab accepts."""
    good = {match[2] for match in ACCEPTED.finditer(plain(have.verify))}
    return [name for _, name, token in _entries(want, have) if _among(good, token)]


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """The wanted runners that GitLab does not accept; a manager that does not run was not asked."""
    if not have.runs(want.manager.container):
        return
    output, names = plain(have.verify), accepted(want, have)
    refused = {match[1] for match in REFUSED.finditer(output)}
    answer, cause = _answer(output)
    for runner, name, token in _entries(want, have):
        if name in names or have.tokens.get(runner.key):  # it changes over
            continue
        if _among(refused, token):
            kind = TOKEN_GONE if runner.token else GONE
            yield kind.found(name=name, config=want.config, source=runner.spec.token)
        else:
            found = UNVERIFIED.found(name=name, url=want.url, answer=answer)
            yield replace(found, fix=cause.fix) if cause else found


def _answer(output: str) -> tuple[str, Hint | None]:
    """The line that tells most, and the cause that lies with the host where it names one."""
    lines = [one for one in output.splitlines() if one.strip() and not one.startswith("exit ")]
    for line in lines:
        if cause := next(
            (one for one in (*ENDED_CAUSES, *CAUSES) if re.search(one.pattern, line)), None
        ):
            return line, cause
    return (lines or [output.strip() or "no answer"])[-1], None


def _among(short_tokens: set[str], token: str) -> bool:
    return any(short in token for short in short_tokens)


def _entries(want: Want, have: Facts) -> Iterator[tuple[WantedRunner, str, str]]:
    """Name and token of the entries of the wanted runners."""
    entries = config_toml.parsed(want, have).get("runners", [])
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is not None:
            entry = entries[index]
            yield runner, entry.get("name", runner.key), entry.get("token", "")
