"""The shell scripts that go into containers by stdin; any POSIX sh can read them."""

from collections.abc import Iterable, Sequence
from shlex import quote

from . import log
from .variables import Variable

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


def notice(text: str) -> str:
    return "printf '%s\\n' " + quote(f"{log.BOLD_GREEN}{text}{log.RESET}")


def commands(script: Sequence[str]) -> Iterable[str]:
    """Each command announced, then run; of a long one only the first line is shown."""
    for item in script:
        command = item.strip()
        if not command:
            yield "echo"
            continue
        first, more, _ = command.partition("\n")
        yield notice(f"$ {first}" + (" # collapsed multi-line command" if more else ""))
        yield command


def exports(variables: Iterable[Variable], directory: str) -> Iterable[str]:
    """Plain variables by value, file variables by the path of a file beside the project."""
    for variable in variables:
        if variable.file:
            path = quote(f"{directory}.tmp/{variable.key}")
            yield f"mkdir -p {quote(directory + '.tmp')}"
            yield f"printf '%s' {quote(variable.value)} > {path}"
            yield f"export {variable.key}={path}"
        else:
            yield f"export {variable.key}={quote(variable.value)}"


def stage(
    variables: Iterable[Variable],
    directory: str,
    lines: Iterable[str],
    xtrace: bool = False,
    subshell: bool = False,
) -> str:
    """One stage of a job: read whole before anything runs, so that no command eats the rest."""
    body = "\n".join([*exports(variables, directory), f"cd {quote(directory)}", *lines, ""])
    return wrap(body, xtrace, subshell)


def wrap(body: str, xtrace: bool = False, subshell: bool = False) -> str:
    """What the shell reads; bash keeps a failed command's own code only in a subshell.

    That is so in the real program too, whose FF_USE_NEW_BASH_EVAL_STRATEGY is off by default.
    """
    run = f"(eval {quote(body)})" if subshell else f"eval {quote(body)}"
    return (
        "trap 'exit 1' TERM\n\n"
        + ("set -o xtrace\n" if xtrace else "")
        + "if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi; set -o errexit\n"
        + "set +o noclobber\n"
        + f": | {run}\n"
        + "exit 0\n"
    )


def prepare(directory: str, host: str) -> str:
    """What runs in the helper container before the job's own image is used."""
    return wrap(
        f"umask 0000\nmkdir -p {quote(directory)}\n"
        f'echo "Running on $(hostname) via "{quote(host)}...\n'
    )


def clean(variables: Iterable[Variable], directory: str) -> str:
    """Remove the files of file variables; empty when there are none."""
    files = [f"rm -f {quote(f'{directory}.tmp/{v.key}')}" for v in variables if v.file]
    return wrap("\n".join([*files, ""])) if files else ""
