"""gitlab-runner's own `register` as a script: for a runner that the host has not, or by another token."""

from collections.abc import Mapping
from typing import Any

from runnerkit.files import config_toml
from runnerkit.files.config_toml import inline
from runnerkit.plan import Endpoint, Hint
from runnerkit.templates import render
from runnerkit.want import Want, WantedRunner

DATES: tuple[str, ...] = (
    "token",
    "token_obtained_at",
    "token_expires_at",
)  # what a reset says, in config.toml
TOLD = ("id", *DATES)  # and what registering says
HINTS = (
    Hint(
        "Invalid executor",
        "this gitlab-runner has no such executor: name a newer [manager] image",
    ),
    Hint(
        "reserved and cannot be specified|is reserved",
        "tags and the like go through GITLAB_TOKEN",
    ),
    Hint(
        "status=410|410 Gone",
        "this GitLab has registration tokens switched off: use GITLAB_TOKEN (the API creates the "
        "runner) or a glrt- token in RUNNER_TOKEN",
    ),
    Hint(
        "is not valid|status=403|[Ff]orbidden",
        "GitLab refuses the token: copy it again, or make a new one",
    ),
    Hint(
        "no such host|refused|timeout|unreachable|network",
        "the host cannot reach GitLab: check --url, DNS and the firewall there",
    ),
    Hint(
        "x509|certificate",
        "the host does not trust GitLab's certificate: name the file of its CA as [network] ca_file",
    ),
    Hint(
        r"\b(429|50\d) [A-Z]",
        "GitLab itself fails or is overloaded: see how it fares, then run again",
    ),
    Hint(
        "", "see what gitlab-runner says above; what was registered so far is found by the next run"
    ),
)


def script(
    want: Want,
    runner: WantedRunner,
    name: str,
    note: str = "",
    options: Mapping[str, Any] | None = None,
    place: str = "",
    number: int = 0,
) -> str:
    """The script; the token is put in as $TOKEN.

    Args:
        want: what the host should be.
        runner: the runner.
        name: what it is called.
        note: the mark of a runner that a registration token makes at GitLab; "" by any other token.
        options: what else such a runner has at GitLab.
        place: what stands in the file "$new" for the token and what GitLab says of it, to be put in
            there; "" for an entry of its own in config.toml.
        number: whose token it must be, by GitLab's word; 0 where that is known.
    """
    variable = "REGISTRATION_TOKEN" if note else "CI_SERVER_TOKEN"
    return _script(want, runner, name, note, variable, options or {}, place, TOLD, number)


def renewal(want: Want, runner: WantedRunner, place: str) -> str:
    """`reset-token` as a script: the token, put in as $TOKEN, gives itself a successor.

    Args:
        want: what the host should be.
        runner: the runner.
        place: what stands in the file "$new" for the new token and its dates.
    """
    return _script(want, runner, "", "", "OLD_TOKEN", {}, place, DATES, 0)


def _script(
    want: Want,
    runner: WantedRunner,
    name: str,
    note: str,
    variable: str,
    options: Mapping[str, Any],
    place: str,
    keys: tuple[str, ...],
    number: int,
) -> str:
    return render(
        "register.sh.j2",
        want=want,
        runner=runner,
        name=name,
        note=note,
        variable=variable,
        options=options,
        template=render("config.toml.j2", entry=config_toml.runner_wanted(runner), toml=inline),
        place=place,
        keys=keys,
        number=number,
        renews=variable == "OLD_TOKEN",
        url=inline(want.url),
    )


def reaches(want: Want) -> tuple[Endpoint, ...]:
    """What the host itself must reach for it: GitLab, unless by a proxy."""
    ours = {*want.network.variables}
    proxied = any(key.lower().endswith("_proxy") for key in {*want.manager.environment} - ours)
    gitlab = Endpoint(want.url, "GitLab", "check --url, and DNS and firewall of the host")
    return () if proxied else (gitlab,)
