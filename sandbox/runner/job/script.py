"""The shell scripts that go into containers by stdin; any POSIX sh can read them."""

from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

from .. import log

# The container's command: the best shell that the image has, reading its stdin.
DETECT = [
    "sh",
    "-c",
    "".join(
        f"if [ -x {shell} ]; then exec {shell}; fi\n"
        for shell in (
            "/usr/local/bin/bash",
            "/usr/bin/bash",
            "/bin/bash",
            "/usr/local/bin/sh",
            "/usr/bin/sh",
            "/bin/sh",
            "/busybox/sh",
        )
    )
    + "echo shell not found\nexit 1\n",
]


def commands(script: Sequence[str]) -> Iterable[str]:
    """Each command announced, then run; of a long one only the first line is shown."""
    for item in script:
        command = item.strip()
        first, more, _ = command.partition("\n")
        text = f"$ {first}" + (" # collapsed multi-line command" if more else "")
        yield "printf '%s\\n' " + quote(f"{log.BOLD_GREEN}{text}{log.RESET}") if command else "echo"
        yield command


def stage(variables: Mapping[str, str], directory: str, script: Sequence[str]) -> str:
    """One stage of a job: read whole before anything runs, so that no command eats the rest."""
    exports = [f"export {key}={quote(value)}" for key, value in variables.items()]
    return wrap("\n".join([*exports, f"cd {quote(directory)}", *commands(script), ""]))


def wrap(body: str) -> str:
    """What the shell reads; the real program's default, which loses a failed command's code."""
    return (
        "trap 'exit 1' TERM\n\n"
        "if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi; set -o errexit\n"
        "set +o noclobber\n"
        f": | eval {quote(body)}\n"
        "exit 0\n"
    )


def prepare(directory: str, host: str) -> str:
    """What runs in the helper container before the job's own image is used."""
    return wrap(
        f"umask 0000\nmkdir -p {quote(directory)}\n"
        f'echo "Running on $(hostname) via "{quote(host)}...\n'
    )
