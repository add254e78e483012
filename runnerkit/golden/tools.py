"""Programs that golden machines need on this machine, and running them."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from runnerkit.errors import KitError

Line = Callable[[str], None]  # told one line of progress

# A program, or a file by its path: the distribution's package that has it.
QEMU = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils"}
PACKER = {"packer": "packer", "xorriso": "xorriso"}
BASE = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "sfdisk": "fdisk",
    "grub-mkimage": "grub-common",
    "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}


def need(programs: Mapping[str, str], line: Line) -> None:
    """Install the packages of these programs, where they are missing.

    Raises:
        KitError: there is no apt-get, or it failed.
    """
    names = sorted({package for name, package in programs.items() if not there(name)})
    if not names:
        return
    words = ", ".join(names)
    if not shutil.which("apt-get"):
        raise KitError(
            f"golden machines need {words}, which the kit installs on Debian and Ubuntu only",
            f"install {words} with this machine's package manager, then run again",
        )
    line(f"installing on this machine: {words}")
    apt = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-qq",
        "-o",
        "DPkg::Lock::Timeout=900",
    ]
    fix = "see that this machine reaches its package archive, then run again"
    root([*apt, "update"], "update the package index", fix)
    fix += "; a package that this distribution has not: install the program from its maker"
    root([*apt, "install", "--yes", "--no-install-recommends", *names], f"install {words}", fix)


def there(name: str) -> bool:
    """Whether this machine has a program, or a file."""
    if name.startswith("/"):
        return Path(name).exists()
    path = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    return shutil.which(name, path=path) is not None


BEGIN = '[ "$PPID" = "$0" ] && exec "$@"'  # unless who started it is gone already


def ending_with_us(signal: str) -> list[str]:
    """What comes before a command that shall end with this process, even with a killed one.

    Args:
        signal: that it gets then. Where we are gone before that is arranged, it does not begin.
    """
    return ["setpriv", "--pdeathsig", signal, "--", "sh", "-c", BEGIN, str(os.getpid())]


def private(folder: Path) -> Path:
    """The folder, made where it is not, for its owner alone: images and seeds may hold secrets."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def root(
    command: list[str], doing: str, fix: str, line: Line | None = None, stdin: str = ""
) -> None:
    """Run a program as root, with sudo where that is needed.

    Args:
        command: the program and its arguments.
        doing: what for, in the imperative.
        fix: what to do where it fails.
        line: told each line of its stdout.
        stdin: what it reads.
    """
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    run([*sudo, *command], doing, fix, line, stdin)


def run(command: list[str], doing: str, fix: str, line: Line | None = None, stdin: str = "") -> str:
    """Run a program of this machine and return its stdout.

    Raises:
        KitError: it ended with another exit code than 0; with the last of its stderr.
    """
    import tempfile

    output: list[str] = []
    with tempfile.TemporaryFile("w+") as errors:
        try:
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        except OSError as error:
            raise KitError(f"{doing}: {command[0]}: {error.strerror}", fix) from None
        with child:
            assert child.stdin and child.stdout
            with contextlib.suppress(BrokenPipeError):  # it ended early; its exit code tells why
                child.stdin.write(stdin)
                child.stdin.close()
            for text in child.stdout:
                output.append(text)
                if line:
                    line(text.rstrip())
        errors.seek(0)
        last = [text for text in errors.read().splitlines() if text.strip()][-2:]
    if child.returncode:
        why = " | ".join(last) or "no word of why"
        raise KitError(
            f"{doing}: {Path(command[0]).name} ended with {child.returncode}: {why}", fix
        )
    return "".join(output)
