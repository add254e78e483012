"""Runners whose entry on the host has another token than the settings give.

A token is one runner's at GitLab, and a runner has one token: where GitLab still knows that of the
settings, it is another runner's, and the entry changes over to it. Where it does not, the entry's is
the newer one: the manager renews a token that ends, and writes it into config.toml.
"""

from collections.abc import Iterable, Iterator

from runnerkit.facts import Facts
from runnerkit.files import config_toml, register
from runnerkit.want import Want, WantedRunner

PLACE = "RUNNERKIT-TOKEN"  # of what only registering tells


def differing(want: Want, have: Facts) -> Iterator[tuple[int, WantedRunner]]:
    """These runners, and which entry each is."""
    entries = config_toml.parsed(want, have).get("runners", [])
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is None or runner.token is None:
            continue
        if entries[index].get("token") != runner.token.reveal():
            yield index, runner


def due(want: Want, have: Facts) -> Iterator[tuple[int, WantedRunner]]:
    """Those of them that change over."""
    return (one for one in differing(want, have) if have.tokens.get(one[1].key))


def vacated(text: str, index: int, keys: Iterable[str] = register.TOLD) -> str:
    """config.toml with a place for the token of an entry, and what GitLab says of it: these keys."""
    import tomlkit

    document = tomlkit.parse(text)
    entry = document["runners"][index]
    for key in {*keys} - {"token"}:
        entry.pop(key, None)
    entry["token"] = PLACE
    return tomlkit.dumps(document)
