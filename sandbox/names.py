"""What everything in one sandbox is called; all of it follows from one name."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runnerkit import place
from sandbox.errors import SandboxError

LABEL = "runnerkit.sandbox"
HOME = f"{LABEL}.state"
IMAGES = "runnerkit-sandbox"  # shared by every sandbox of a machine


def own() -> str:
    """The name of a checkout's own sandbox: two checkouts on a machine have one each."""
    return f"runnerkit-{hashlib.sha256(bytes(place.state().resolve())).hexdigest()[:6]}"


@dataclass(frozen=True)
class Names:
    """The names of one sandbox; two sandboxes with two names live side by side."""

    sandbox: str

    @classmethod
    def current(cls) -> "Names":
        """The sandbox that the environment asks for."""
        name = os.environ.get("RUNNERKIT_SANDBOX") or own()
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise SandboxError(
                f"RUNNERKIT_SANDBOX={name}: not a name for a sandbox",
                "use up to 31 lower-case letters, digits and dashes",
            )
        return cls(name)

    @property
    def state(self) -> Path:
        """Keys, tokens and downloads."""
        suffix = "" if self.sandbox == own() else f"-{self.sandbox}"
        return place.state() / f".sandbox{suffix}"

    @property
    def labels(self) -> dict[str, str]:
        """What marks everything of this sandbox, and whose it is."""
        return {LABEL: self.sandbox, HOME: str(self.state.resolve())}

    @property
    def filter(self) -> dict[str, str | list[str] | bool]:
        """Finds everything of this sandbox."""
        return {"label": f"{LABEL}={self.sandbox}"}

    def container(self, role: str) -> str:
        """The name of a container."""
        return f"{self.sandbox}-{role}"

    def owned(self, labels: Mapping[str, str]) -> None:
        """Refuse what another checkout has put up under this name.

        Raises:
            SandboxError: with the way out.
        """
        home = labels.get(HOME, "")
        if home and home != self.labels[HOME] and Path(home).is_dir():
            raise SandboxError(
                f"the sandbox {self.sandbox} is that of another checkout, {Path(home).parent}",
                "give this one another name, RUNNERKIT_SANDBOX=NAME, or none at all",
            )
