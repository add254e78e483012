"""The base disk: a cloud image, or a Debian made of the distribution's packages alone."""

import hashlib
import json
import os
import struct
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from runnerkit.errors import KitError
from runnerkit.golden import fetch, tools
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
APART = f"""cd "$1" && trap "rm -rf --one-file-system root disk.raw" EXIT || exit
apart="unshare --mount --mount-proc --pid --fork --kill-child"
if $apart true 2>/dev/null
then setpriv --pdeathsig KILL -- sh -c '{tools.BEGIN}' $$ $apart sh -s
else sh -s
fi"""
# Of qcow2 (docs/interop/qcow2.txt of QEMU): magic, version, the backing file's name, and features.
MAGIC = b"QFI\xfb"
HEADER = struct.Struct(">4sIQ56xQ")
DATA_FILE = 1 << 2
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
    tools.private(folder)
    if golden.base and "://" not in golden.base:
        return _known(Path(golden.base).expanduser(), golden, line)
    disk = folder / f"base-{recipe(golden, docker)}.qcow2"
    if not disk.exists():
        _forget(folder)
        with tempfile.TemporaryDirectory(prefix="base-", dir=folder) as work:
            new = Path(work) / disk.name
            fetch.fetch(golden, new, line) if golden.base else _make(golden, new, line, docker)
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
    script = (
        _script(golden, Path("base.qcow2"), docker)
        if not golden.base
        else f"{golden.base} {golden.base_checksum}"
    )
    return hashlib.sha256(f"{script}\0{year}-{week}".encode()).hexdigest()[:12]


def about(path: Path) -> dict[str, Any]:
    """What qemu-img knows of a disk image.

    Raises:
        KitError: it is no qcow2 image. Not asked of qemu-img: other formats name files that it opens.
    """
    _header(path)
    fix = "name a qcow2 image of a disk that boots"
    command = ["qemu-img", "info", "-f", "qcow2", "--output=json", str(path.absolute())]
    return json.loads(tools.run(command, f"look at {path}", fix))  # type: ignore[no-any-return]


def alone(path: Path) -> dict[str, Any]:
    """What qemu-img knows of an image of others, which must hold all of its disk itself.

    Raises:
        KitError: some of it is in another file: any of this machine, which would be baked in.
    """
    version, backing, features = _header(path)  # of a data file qemu-img would open it, to tell
    if backing or (version > 2 and features & DATA_FILE):
        raise KitError(
            f"{path} is not whole: it has a {'backing' if backing else 'data'} file beside it",
            f"make it whole where it is from: qemu-img convert -O qcow2 IMAGE {path.stem}-whole.qcow2",
        )
    return about(path)


def _header(path: Path) -> tuple[int, int, int]:
    """Of a qcow2 image: its version, where its backing file's name is, what a reader must know."""
    with path.open("rb") as file:
        start = file.read(HEADER.size).ljust(HEADER.size, b"\0")
    magic, version, backing, features = HEADER.unpack(start)
    if magic != MAGIC:
        raise KitError(
            f"{path} is not a qcow2 image",
            f"make it one: qemu-img convert -O qcow2 IMAGE {path.stem}-new.qcow2, and name that",
        )
    return version, backing, features


def _checked(path: Path, golden: Golden) -> None:
    """A file of this machine needs no checksum; one that is given holds."""
    if ":" in golden.base_checksum:
        kind, _, wanted = golden.base_checksum.partition(":")
        if fetch.digest(path, kind) != wanted:
            raise KitError(f"{path} is not what [golden] base_checksum says", "correct either")


def _known(path: Path, golden: Golden, line: Line) -> Path:
    if not path.is_file():
        raise KitError(f"no base disk {path}", "correct [golden] base; without it one is made")
    tools.need(tools.QEMU, line)
    if "://" not in golden.base:
        _checked(path, golden)
    if (size := -(-int(alone(path)["virtual-size"]) // (1 << 30))) > golden.disk_gb:
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
