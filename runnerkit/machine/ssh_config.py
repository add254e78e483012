"""ssh's own settings, with the files that they include: Paramiko reads none of those."""

import os
import re
import shlex
from io import StringIO
from pathlib import Path

import paramiko

from runnerkit.errors import KitError

DEEPEST = 16  # as ssh has it


def read() -> paramiko.SSHConfig:
    """Those of the user, and those of the machine.

    Raises:
        KitError: a line that ssh would refuse as well.
    """
    settings = paramiko.SSHConfig()
    for file in (Path("~/.ssh/config").expanduser(), Path("/etc/ssh/ssh_config")):
        try:
            settings.parse(StringIO(_whole(file, file.parent, "Host *")))
        except (paramiko.SSHException, ValueError) as error:
            raise KitError(f"{file}: {error}", "correct it; ssh -G HOST shows more") from None
    return settings


def _whole(file: Path, base: Path, scope: str, depth: int = 0) -> str:
    """A file's text with the included ones in their places, each followed by the scope it stands in."""
    if depth > DEEPEST or not file.is_file() or not os.access(file, os.R_OK):
        return ""
    lines = []
    for line in file.read_text(errors="replace").splitlines():
        words = re.match(r"\s*(\w+)(?:\s*=\s*|\s+)(.+)", line)
        key = words[1].lower() if words else ""
        if key in ("host", "match"):
            scope = line
        if not words or key != "include":
            lines.append(line)
            continue
        for named in shlex.split(words[2]):
            pattern = base / Path(named).expanduser()
            for found in sorted(Path("/").glob(str(pattern.relative_to("/")))):
                lines += [_whole(found, base, scope, depth + 1), scope]
    return "\n".join(lines)
