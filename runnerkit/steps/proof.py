"""GitLab accepts every wanted runner. Read from the answer: exit codes of ``verify`` mislead."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from runnerkit import config_toml
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.plan import plain
from runnerkit.want import Want

ACCEPTED = re.compile(r"is (valid|alive)\b.*?runner=(\S+)")
REFUSED = re.compile(r"(?:is not valid|is removed|403).*?runner=(\S+)")


def accepted(want: Want, have: Facts) -> list[str]:
    """The names of the wanted runners that GitLab accepts; all of them, or it raises.

    Raises:
        KitError: GitLab refuses one, or does not answer the host.
    """
    said = plain(have.verify)
    good = {match[2] for match in ACCEPTED.finditer(said)}
    bad = {match[1] for match in REFUSED.finditer(said)}
    names = []
    for name, token in _tokens(want, have):
        if any(short in token for short in good):
            names.append(name)
        elif any(short in token for short in bad):
            raise KitError(
                f"GitLab no longer accepts runner {name}: its token was revoked or the runner deleted",
                f"remove its [[runners]] entry from {want.config} and run again to register anew",
            )
        else:
            last = said.strip().splitlines()[-1:] or ["no answer"]
            raise KitError(
                f"runner {name} could not be verified with {want.url} from the host: {last[0]}",
                "check that the host reaches GitLab (DNS, firewall, certificate), then run again",
            )
    return names


def _tokens(want: Want, have: Facts) -> Iterator[tuple[str, str]]:
    entries: list[dict[str, Any]] = tomllib.loads(have.files[want.config].text)["runners"]
    for runner in want.runners:
        index = config_toml.entry(want, have, runner)
        if index is not None:
            yield entries[index].get("name", runner.key), entries[index]["token"]
