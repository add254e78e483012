"""Why a build failed: found in what Packer said, and in the last words of the machine's console."""

import re
from textwrap import indent

from runnerkit.errors import KitError
from runnerkit.golden.provision import CONSOLE

LOG = "packer.log"  # all that Packer said in the last build
PLUGINS = (
    "Packer 1.7 and newer has its plugins apart: cp packer/plugins.pkr.hcl.in packer/plugins.pkr.hcl, "
    "packer init packer, rm packer/plugins.pkr.hcl"
)
LONG = 400  # characters of a reason; the rest is in the log
# After these, Packer tells the same once more.
END = re.compile(r"(==> )?(Wait completed|Some builds didn't|Builds finished|Warning: )")


def of(lines: list[str], code: int, tail: str) -> KitError:
    """Why it failed: what the kit said in it, else what Packer said, and the console's last words.

    Args:
        lines: the lines of Packer, the kit's among them.
        code: the exit code of Packer.
        tail: the last lines of the console; "" where it has none.
    """
    for number, line in enumerate(lines):
        if match := re.match(r"error: (?:golden: )?(.+)", line):
            fix = re.search(r"fix: (.+)", "\n".join(lines[number:]))
            return KitError(
                f"the machine could not be set up: {match[1]}",
                fix[1] if fix else "see the lines above",
            )
    if any("plugin that is not installed" in line for line in lines):
        return KitError("this Packer lacks plugins that the template names", PLUGINS)
    shown = f"\n  the machine's console ends with:\n{indent(tail, 4 * ' ')}" if tail else ""
    console = f", the whole console in .golden/{CONSOLE}" if tail else ""
    return KitError(
        f"packer build ended with {code}: {_reason(lines, code)}{shown}",
        f"all that Packer said is in .golden/{LOG}{console}",
    )


def _reason(lines: list[str], code: int) -> str:
    """Packer's own reason: of a build that errored, or of a template that it refuses."""
    begins = (r"Build '.+' errored[^:]*: (.+)", r"Error: (.+)")
    for begin in begins:
        for number, line in enumerate(lines):
            if match := re.match(begin, line):
                rest = lines[number + 1 :]
                ends = next((n for n, one in enumerate(rest) if END.match(one)), len(rest))
                return " ".join([match[1], *rest[:ends]])[:LONG]
    errors = [line for line in lines if re.search(r"error|timeout|failed", line, re.IGNORECASE)]
    return (errors or lines or ["it made no image, and no word of why"])[-1 if code else 0]
