"""Why a job image does not build: the reason first, then where, then the last lines."""

import re
from collections.abc import Sequence

from runnerkit.engine.failure import HINTS
from runnerkit.errors import KitError
from runnerkit.images.definition import JobImage
from runnerkit.plan import Hint, hint
from runnerkit.redact import mask

STEP = 60  # letters of a step that are shown: one may be a program of a hundred lines
# What programs mark as their reason, before what they say besides.
_REASONS = (
    r"(?<!\w)E: .*",  # apt, also behind a line of its stdout that has not ended
    r"unable to select packages|required by: world",  # apk
    r"(?i)^(error: )?(unable to find a match|no match for argument|no package .* available)",
    r"(?i)\b(error|fatal|err!|cannot|not found|failed)\b",
)
_CODE = re.compile(r"(?:exit code: |non-zero code: )(\d+)")


def of(job: JobImage, step: str, lines: Sequence[str], error: str) -> KitError:
    """The failure of a build.

    Args:
        job: the image.
        step: the one that failed, as the builder names it.
        lines: the last ones of its output.
        error: what the builder itself says.
    """
    code, answer = _CODE.search(error), " ".join(mask(error).split())
    if lines and code:
        reason = f"{mask(_reason(lines))} (exit {code[1]} of {short(step)})"
    else:
        reason = f"{short(step)}: {answer}"
    last = "".join(f"\n    {mask(line)}" for line in lines)
    return KitError(f"{job.name} does not build: {reason}{last}", _fix(job, f"{answer}{last}"))


def short(step: str) -> str:
    """A step in one line that is not longer than it need be."""
    line = mask(" ".join(step.split()))
    return line if len(line) <= STEP else f"{line[: STEP - 1]}…"


def _reason(lines: Sequence[str]) -> str:
    for pattern in _REASONS:
        for line in map(str.strip, lines):
            if found := re.search(pattern, line):
                return found[0] if pattern.endswith(".*") else line
    return lines[-1].strip()


def _fix(job: JobImage, output: str) -> str:
    wrong = "the Dockerfile (or its base)"
    if not job.context:  # it has no Dockerfile that anybody wrote
        wrong = f"images.{job.name}.packages or its base in the settings"
    usual = Hint("", f"correct {wrong}, then run again")
    return f"{hint(output, (*HINTS, usual)).fix}; the old image is untouched"
