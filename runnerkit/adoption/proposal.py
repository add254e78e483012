"""Settings that are proposed for hosts, and what they would have of each: looked at, proposed, proved by a plan."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from runnerkit import resolve
from runnerkit.adoption.gap import Gap
from runnerkit.adoption.references import References
from runnerkit.errors import KitError
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want

API = "GITLAB_TOKEN"
NEW = "new"  # a file of which no host remembers anything
FREE = ("docker", "autoscaler", "settings")


@dataclass
class Proposal:
    """Settings for hosts, as `data` of the file. `names` are those of the hosts there, `keys` those of
    the runners by host and entry, `without` why a host is not among them."""

    data: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    keys: dict[tuple[str, int], str] = field(default_factory=dict)
    tokens: dict[str, Secret] = field(default_factory=dict)
    references: References = field(default_factory=References)
    gaps: list[Gap] = field(default_factory=list)
    without: dict[str, KitError] = field(default_factory=dict)

    @property
    def common_gaps(self) -> tuple[Gap, ...]:
        """Those that are of no host alone."""
        return tuple(one for one in self.gaps if not one.host)

    def runners(self, site: str) -> tuple[str, ...]:
        """The runners of a host, by their keys."""
        every = tuple(self.data.get("runners", ()))
        return tuple(self.data["hosts"][self.names[site]].get("runners", every))

    def want(self, site: str) -> Want:
        """What the file makes of a host, where all its variables are set.

        Raises:
            KitError: the definition of a job image that it names is wrong.
        """
        settings = msgspec.convert(deepcopy(self.data), Settings)
        fill = self.references.filled
        runners = {
            key: msgspec.structs.replace(
                one, token=None, **{table: fill(getattr(one, table)) for table in FREE}
            )
            for key, one in settings.runners.items()
        }
        settings = msgspec.structs.replace(
            settings,
            runners=runners,
            docker=msgspec.structs.replace(settings.docker, daemon=fill(settings.docker.daemon)),
            manager=msgspec.structs.replace(
                settings.manager, settings=fill(settings.manager.settings)
            ),
        )
        want = resolve.of_host(settings, self.names[site], empty=True)
        return replace(
            want,
            origin=NEW,
            runners=tuple(replace(one, token=self.tokens.get(one.key)) for one in want.runners),
        )
