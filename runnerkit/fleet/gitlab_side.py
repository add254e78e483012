"""GitLab's API as the settings of a fleet give it."""

from typing import TYPE_CHECKING

from runnerkit.settings import tokens
from runnerkit.settings.access import certificates
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret
from runnerkit.want import bare

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
