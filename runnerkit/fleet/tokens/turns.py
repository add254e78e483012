"""Who gives a runner its new token, and which hosts it goes to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runnerkit.errors import KitError
from runnerkit.fleet.tokens import rotations
from runnerkit.settings.secrets import Secret
from runnerkit.want import WantedRunner

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

Hosts = Mapping[str, "Held"]


@dataclass(frozen=True)
class Held:
    """A runner as a host has it.

    `index` is its entry's, `number` its id by the host's word (0: none), `seen` the same by GitLab's,
    where the API token sees it; `system_id` is the manager's, `mark` what the kit noted at GitLab if it
    made the runner, `accepted` whether the manager says that GitLab accepts it.
    """

    runner: WantedRunner
    name: str
    index: int
    token: Secret
    number: int
    seen: int | None
    system_id: str
    mark: str
    accepted: bool


@dataclass
class Turn:
    """One runner, whose hosts get one token.

    `way`: GitLab's API resets it, its own token does so from the first host, or another host has the
    new one already. `number` is its id at GitLab, `token` the new one once it is known.
    """

    runner: WantedRunner
    way: Literal["reset", "renew", "spread"]
    hosts: Hosts
    number: int = 0
    token: Secret | None = None

    @property
    def words(self) -> str:
        """What is done with the token, as a table has it."""
        if self.way == "spread":
            return "the new one, from another host"
        return f"reset at GitLab (#{self.number})" if self.number else "renewed by itself"


@dataclass(frozen=True)
class Turns:
    """What is to be done, and the hosts for which it cannot be told."""

    turns: tuple[Turn, ...]
    errors: Mapping[str, KitError]


def planned(
    url: str, held: Mapping[str, Sequence[Held]], server: "Server | None", id_: int, ca: str
) -> Turns:
    """The turns of all runners.

    Args:
        url: GitLab's.
        ca: certificates by which it is trusted besides.
        held: the runners by their hosts.
        server: GitLab's API, where there is a token for it.
        id_: a runner's id at GitLab as it was typed, for one whose token has ended.
    """
    turns, errors = list[Turn](), dict[str, KitError]()
    for hosts in _by_runner(held):
        for group, other in _groups(url, hosts, ca):
            try:
                turns.append(other or _turn(url, group, server, id_, ca))
            except KitError as error:
                errors.update(dict.fromkeys(group, error))
    return Turns(tuple(turns), errors)


def _by_runner(held: Mapping[str, Sequence[Held]]) -> Iterator[dict[str, Held]]:
    keys = dict.fromkeys(one.runner.key for each in held.values() for one in each)
    for key in keys:
        yield {host: one for host, each in held.items() for one in each if one.runner.key == key}


def _groups(url: str, hosts: Hosts, ca: str) -> Iterator[tuple[Hosts, Turn | None]]:
    """The hosts that get one token; with the turn, where another of the run's hosts has it already."""
    by_token: dict[Secret, dict[str, Held]] = defaultdict(dict)
    for host, one in hosts.items():
        by_token[one.token][host] = one
    shared = next(iter(hosts.values())).runner.spec.token is not None
    if not shared or len(by_token) == 1:
        yield from ((group, None) for group in by_token.values())
        return
    valid = {token: _valid(url, token, group, ca) for token, group in by_token.items()}
    good = [token for token, known in valid.items() if known]
    left = {host: one for host, one in hosts.items() if one.token not in good}
    if len(good) == 1:
        yield left, Turn(next(iter(left.values())).runner, "spread", left, token=good[0])
        return
    yield from ((by_token[token], None) for token in good)
    if left:
        yield left, None


def _valid(url: str, token: Secret, hosts: Hosts, ca: str) -> bool:
    """Whether GitLab accepts a token: as it says here, or else as it says on the hosts."""
    from runnerkit.gitlab.runner_token import accepts

    answer = accepts(url, token, ca)
    return any(one.accepted for one in hosts.values()) if answer is None else answer


def _turn(url: str, hosts: Hosts, server: "Server | None", id_: int, ca: str) -> Turn:
    one = next(iter(hosts.values()))
    if server is None:
        if len({each.token for each in hosts.values()}) > 1 or not _valid(
            url, one.token, hosts, ca
        ):
            raise KitError(
                f"GitLab does not accept the token of runner {one.name}, which cannot renew itself then",
                "GITLAB_TOKEN (gitlab.api_token) gives it a new one; or make one at GitLab and put it "
                "into the settings: ./inv bootstrap changes the hosts over",
            )
        return Turn(one.runner, "renew", hosts)
    number = one.seen or (one.system_id and server.whose(one.token, one.system_id)) or None
    number = number or next(
        filter(None, (rotations.begun(url, h.token) for h in hosts.values())), None
    )
    if number is None and (mine := server.find(one.runner, one.name, one.mark)):
        number = mine.id
    if not (number := number or id_):
        raise KitError(
            f"the token of runner {one.name} has ended, and GitLab does not tell whose it was",
            "see the runner's number at GitLab, and type it: --id NUMBER --runner "
            f"{one.runner.key}; the host has it as #{one.number}",
        )
    return Turn(one.runner, "reset", hosts, number)
