"""What everything in one sandbox is called; all of it follows from one name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from runnerkit import place
from sandbox.errors import SandboxError

LABEL = "runnerkit.sandbox"
DEFAULT = "runnerkit"
IMAGES = "runnerkit-sandbox"  # shared by every sandbox of a machine


@dataclass(frozen=True)
class Names:
    """The names of one sandbox; two sandboxes with two names live side by side."""

    sandbox: str

    @classmethod
    def current(cls) -> "Names":
        """The sandbox that the environment asks for."""
        name = os.environ.get("RUNNERKIT_SANDBOX") or DEFAULT
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise SandboxError(
                f"RUNNERKIT_SANDBOX={name}: not a name for a sandbox",
                "use up to 31 lower-case letters, digits and dashes",
            )
        return cls(name)

    @property
    def state(self) -> Path:
        """Keys, tokens and downloads."""
        suffix = "" if self.sandbox == DEFAULT else f"-{self.sandbox}"
        return place.state() / f".sandbox{suffix}"

    @property
    def labels(self) -> dict[str, str]:
        """What marks everything of this sandbox."""
        return {LABEL: self.sandbox}

    @property
    def filter(self) -> dict[str, str | list[str] | bool]:
        """Finds everything of this sandbox."""
        return {"label": f"{LABEL}={self.sandbox}"}

    def container(self, role: str) -> str:
        """The name of a container."""
        return f"{self.sandbox}-{role}"
