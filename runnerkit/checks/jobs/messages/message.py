"""What a log may say: a pattern, and the kind of finding that it stands for."""

from dataclasses import dataclass

from runnerkit.checks.finding import Kind, Level


@dataclass(frozen=True)
class Message:
    """Words of a log, in any case; `kind` has no {names}, as nothing of a log is put into a fix."""

    pattern: str
    kind: Kind


def error(code: str, pattern: str, what: str, fix: str) -> Message:
    """Words that tell why a job failed."""
    return Message(pattern, Kind(code, Level.ERROR, what, fix))
