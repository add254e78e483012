"""What a check finds: what is so, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from runnerkit.errors import KitError
from runnerkit.redact import mask


class Level(StrEnum):
    """How bad it is: an error ends the work on a host, a note does not."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """Something that is so on a host, or at GitLab; `code` stays the same for ever."""

    code: str
    level: Level
    what: str
    fix: str

    def error(self) -> KitError:
        """The same as a failure."""
        return KitError(self.what, self.fix)


@dataclass(frozen=True)
class Kind:
    """What can be found: `what` and `fix` have {names} in the places of what differs."""

    code: str
    level: Level
    what: str
    fix: str

    def found(self, **values: object) -> Finding:
        """The finding, with these values in it: what others have written may hold a secret."""
        shown = {name: mask(str(value)) for name, value in values.items()}
        what, fix = self.what.format(**shown), self.fix.format(**shown)
        return Finding(self.code, self.level, what, fix)
