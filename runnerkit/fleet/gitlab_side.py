"""GitLab's API as the settings of a fleet give it."""

from typing import TYPE_CHECKING

from runnerkit.facts import Facts
from runnerkit.files import change_over
from runnerkit.settings import tokens
from runnerkit.settings.access import certificates
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, bare

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server


def token_of(settings: Settings) -> Secret | None:
    """GitLab's API token, where there is one."""
    token = settings.gitlab.api_token.read() if settings.gitlab.api_token else None
    return tokens.check(token, "glpat-", "GITLAB_TOKEN")


def authority(settings: Settings) -> str:
    """Certificates by which GitLab is trusted besides; "" for none."""
    return certificates(settings.network.ca_file or "")


def server_of(settings: Settings, token: Secret) -> "Server":
    """The API, with a token for it."""
    from runnerkit.gitlab.server import Server

    return Server(bare(settings.gitlab.url), token, ca=authority(settings))


def accepted(want: Want, have: Facts) -> dict[str, bool]:
    """Whether GitLab knows the settings' token of each runner whose entry on the host has another."""
    known = {}
    for _, runner in change_over.differing(want, have):
        from runnerkit.gitlab.runner_token import accepts

        if runner.token is None:
            continue
        if (answer := accepts(want.url, runner.token, want.network.ca)) is not None:
            known[runner.key] = answer
    return known
