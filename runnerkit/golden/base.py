"""The base disk: a cloud image, or a Debian made of the distribution's packages alone."""

import hashlib
import json
import os
import shutil
import tempfile
import time
import urllib.request
from datetime import date
from http.client import HTTPException
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from runnerkit.errors import KitError
from runnerkit.golden import tools
from runnerkit.golden.tools import Line
from runnerkit.settings.model import Golden
from runnerkit.templates import render

# Recommends are left out, so what is needed of them is here: Docker's apparmor and xz-utils.
PACKAGES = [
    "apparmor",
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "curl",
    "dbus",
    "e2fsprogs",
    "fdisk",
    "iproute2",
    "kmod",
    "linux-image-cloud-amd64",
    "netbase",
    "openssh-server",
    "procps",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "udev",
    "xz-utils",
]
WITH_CLI = ("bullseye", "bookworm")  # where docker.io is client and daemon
SPACE_MB = 3000
# Runs a script in a folder, with mounts and processes of its own where that can be had: what it has
# mounted and started goes with a killed kit, so that nothing is ever removed through a mount.
APART = """cd "$1" && trap "rm -rf --one-file-system root disk.raw" EXIT || exit
apart="unshare --mount --mount-proc --pid --fork --kill-child"
$apart true 2>/dev/null && apart="setpriv --pdeathsig KILL -- $apart" || apart=
$apart sh -s"""
WEEK = 7 * 24 * 3600  # seconds; a recipe tells its week, so that no older disk is used


def disk(golden: Golden, folder: Path, line: Line, docker: bool = False) -> Path:
    """The base disk as a qcow2 file; made or fetched once, and anew every week.

    What is installed here needs not be in a machine that may have no KVM, where it takes four
    times as long.

    Args:
        golden: what it shall be.
        folder: where it is kept.
        line: told each phase.
        docker: whether the distribution's Docker may be on a disk that is made.

    Raises:
        KitError: it cannot be made or fetched, or is no disk image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if golden.base and "://" not in golden.base:
        return _known(Path(golden.base).expanduser(), golden, line)
    disk = folder / f"base-{recipe(golden, docker)}.qcow2"
    if not disk.exists():
        _forget(folder)
        with tempfile.TemporaryDirectory(prefix="base-", dir=folder) as work:
            new = Path(work) / disk.name
            _fetch(golden.base, new, line) if golden.base else _make(golden, new, line, docker)
            new.replace(disk)
    return _known(disk, golden, line)


def _forget(folder: Path) -> None:
    """What a killed run left, and disks that no bake will ask for again."""
    for left in folder.glob("base-*/"):
        tools.root(
            ["rm", "-rf", "--one-file-system", str(left)], f"remove {left}", "remove it by hand"
        )
    for old in folder.glob("base-*.qcow2"):
        if time.time() - old.stat().st_mtime > WEEK:
            old.unlink()


def recipe(golden: Golden, docker: bool = False, today: date | None = None) -> str:
    """What tells one base disk from another: all that it is made of, and the week."""
    year, week, _ = (today or date.today()).isocalendar()
    script = _script(golden, Path("base.qcow2"), docker) if not golden.base else golden.base
    return hashlib.sha256(f"{script}\0{year}-{week}".encode()).hexdigest()[:12]


def about(path: Path) -> dict[str, str | int]:
    """What qemu-img knows of a disk image.

    Raises:
        KitError: it is no qcow2 image.
    """
    fix = "name a qcow2 image of a disk that boots"
    output = tools.run(["qemu-img", "info", "--output=json", str(path)], f"look at {path}", fix)
    known: dict[str, str | int] = json.loads(output)
    if known["format"] != "qcow2":
        raise KitError(
            f"{path} is not a qcow2 image (but {known['format']})",
            f"make it one: qemu-img convert -O qcow2 IMAGE {path.stem}-new.qcow2, and name that",
        )
    return known


def digest(path: Path, kind: str = "sha256") -> str:
    """A file's checksum."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _known(path: Path, golden: Golden, line: Line) -> Path:
    if not path.is_file():
        raise KitError(f"no base disk {path}", "correct [golden] base; without it one is made")
    tools.need(tools.QEMU, line)
    if (size := -(-int(about(path)["virtual-size"]) // (1 << 30))) > golden.disk_gb:
        raise KitError(
            f"{path} is a disk of {size} GB, more than the image's {golden.disk_gb}",
            f"set [golden] disk_gb to {size} or more",
        )
    return path


def _make(golden: Golden, new: Path, line: Line, docker: bool) -> None:
    tools.need(tools.QEMU | tools.BASE, line)
    tools.root(
        ["setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", APART, "sh", str(new.parent)],
        f"make a base disk of {golden.suite}",
        "see that this machine reaches Debian's package archive and has room, then run again",
        lambda text: line(f"base disk: {text}"),
        _script(golden, new, docker),
    )


def _script(golden: Golden, new: Path, docker: bool) -> str:
    engine = ["docker.io"] if docker else []
    if docker and golden.suite not in WITH_CLI:
        engine.append("docker-cli")
    return render(
        "base-disk.sh.j2",
        disk=new.name,
        golden=golden,
        packages=sorted({*PACKAGES, *engine, *golden.packages}),
        uuid=uuid5(NAMESPACE_URL, f"runnerkit/base/{golden.suite}"),
        needed_kb=SPACE_MB << 10,
        owner=f"{os.getuid()}:{os.getgid()}",
    )


def _fetch(url: str, new: Path, line: Line) -> None:
    """A cloud image, checked against the checksum that lies beside it, where one does."""
    line(f"base disk: fetch {url}")
    fix = "correct [golden] base, or leave it out"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, new.open("wb") as file:
            shutil.copyfileobj(answer, file)
            short = answer.length
    except (OSError, HTTPException) as error:
        why = getattr(getattr(error, "reason", None), "strerror", None) or error
        raise KitError(f"fetch {url}: {why}", fix) from None
    if short:
        raise KitError(f"fetch {url}: it ended {short} bytes too early", "run again")
    for place, kind in _checksums(url):
        published = _published(place, url.rpartition("/")[2])
        if published:
            if digest(new, kind) != published:
                raise KitError(f"{url} is not what {place} says", "fetch it anew later")
            line(f"base disk: it is what {place} says")
            return
    line("base disk: nothing beside it says whether it is whole")


def _checksums(url: str) -> tuple[tuple[str, str], ...]:
    """Where a distribution may tell an image's checksum, and which."""
    beside = url.rpartition("/")[0]
    lists = {f"{beside}/SHA512SUMS": "sha512", f"{beside}/SHA256SUMS": "sha256"}
    return ((f"{url}.sha256", "sha256"), *lists.items())


def _published(place: str, name: str) -> str:
    """The checksum of that file, in a list of some or alone; "" where there is none."""
    try:
        with urllib.request.urlopen(place, timeout=30) as answer:
            lines = [line.split() for line in answer.read(1 << 20).decode().splitlines()]
    except (OSError, HTTPException, UnicodeDecodeError):
        return ""
    of = {line[-1].lstrip("*").rpartition("/")[2]: line[0].lower() for line in lines if line}
    return of.get(name) or (lines[0][0].lower() if len(lines) == len(lines[0]) == 1 else "")
