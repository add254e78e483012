"""A machine image, baked: a base disk, set up by the kit in QEMU, sealed, with all that is known of it."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from runnerkit.errors import KitError, nearest
from runnerkit.events import Began, Detail, Listener, Tell, of_host
from runnerkit.golden import base, builddir, describe, fetch, packer, provision, qemu, tools
from runnerkit.golden.provision import Watch
from runnerkit.place import state
from runnerkit.settings.model import Golden, Settings
from runnerkit.steps import first_boot

FOLDER = state() / ".golden"
SPACE_MB = 6000  # the machine's disk, and the image beside it


def bake(
    settings: Settings,
    listener: Listener,
    folder: Path = FOLDER,
    source: str = packer.HERE,
    given: Path | None = None,
) -> Path:
    """Bake an image.

    Args:
        settings: of the machines that will be made from it.
        listener: told where it is.
        folder: where images, and the base disks that they share, are kept.
        source: of packer.SOURCES.
        given: a file of the Packer template's variables, for a cloud.

    Returns:
        The image, NAME/NAME.qcow2, or NAME/manifest.json, which names a cloud's. Beside it are its
        .sha256, provenance.json, packages.tsv, images.jsonl and timings.json. Nothing is there
        under that name before it is whole.

    Raises:
        KitError: something that is needed is missing, or a step failed; nothing stays of it but
            the base disk and the console's words.
    """

    tell = of_host(listener, provision.NAME)

    provision.wanted(settings)
    with _alone(folder) as lock:
        tools.need(tools.PACKER, lambda text: tell(Detail(text)))
        watch = Watch()
        disk = _disk(settings, folder, watch, tell) if source == packer.HERE else None
        watch.phase("prepare")
        version = name(datetime.now(UTC))
        with builddir.build_folder(folder, version, settings) as build:
            origin = describe.provenance(settings, disk)
            (build / "provenance.json").write_text(describe.pretty(origin))
            variables = build / "variables.pkrvars.json"
            variables.write_text(describe.pretty(_variables(settings.golden, version, disk, build)))
            if not disk:
                (build / "output").mkdir()  # QEMU's builder makes it, and wants to be the one
            tell(Began(f"build {version} ({origin.get('accelerator', source)})", 2, 4))
            files = [file for file in (given, variables) if file]
            built = packer.build(source, files, build, watch, tell, lock.fileno())
            watch.phase("checksum")
            tell(Began("describe it", 3, 4))
            ready = describe.finished(build, version, built, origin, watch)
            ready.rename(folder / version)
    tell(Began(f"{version} is ready", 4, 4))
    return next((folder / version).glob("*.qcow2"), folder / version / "manifest.json")


def variables_file(source: str, variables: str) -> Path | None:
    """What was typed, seen to be right before anything is done: the file of a cloud's variables.

    Raises:
        KitError: there is no such source, file or variable.
    """
    if source not in packer.SOURCES:
        raise KitError(
            f"no source {source!r}{nearest(source, packer.SOURCES)}",
            f"--source is one of {', '.join(packer.SOURCES)}",
        )
    if not variables:
        return None
    if not (file := Path(variables)).is_file():
        raise KitError(f"no file {file}", "--variables names a file of Packer's variables")
    packer.known(file)
    return file


def name(now: datetime) -> str:
    """An image's name, and its version: when its bake began."""
    return f"runner-host-{now:%Y%m%d-%H%M%S}"


def image(named: str, line: tools.Line, folder: Path = FOLDER) -> Path:
    """The image that is named, or, without a name, the one that was baked last.

    Raises:
        KitError: there is none, or it is no image.
    """
    if named:
        if not (path := Path(named)).is_file():
            raise KitError(f"no image {path}", f"leave it out: the newest in {folder} is taken")
        tools.need(tools.QEMU, line)
        base.alone(path)
        return path
    images = sorted(folder.glob("runner-host-*/*.qcow2"), key=lambda path: path.stat().st_mtime)
    if not images:
        raise KitError(f"no image in {folder}", "./inv golden.bake makes one")
    return images[-1]


def _disk(settings: Settings, folder: Path, watch: Watch, tell: Tell) -> Path:
    def line(text: str) -> None:
        tell(Detail(text))

    _room(folder)
    tools.need(tools.QEMU, line)
    watch.phase("base disk")
    tell(Began("base disk", 1, 4))
    return base.disk(settings.golden, folder, line, settings.docker.source == "distro")


def _variables(golden: Golden, name: str, disk: Path | None, build: Path) -> dict[str, str | int]:
    """What packer/variables.pkr.hcl asks for; a cloud's own are given by whoever has the account."""
    variables: dict[str, str | int] = {
        "image_name": name,
        "disk_gb": golden.disk_gb,
        "provision": builddir.command(build),
        "ssh_username": provision.USER,
        "ssh_private_key_file": str(build / provision.KEY),
        "user_data_file": str(build / "user-data"),
        "meta_data_file": str(build / "meta-data"),
        "power_off_command": f"sh {first_boot.POWER_OFF}",
        "output_directory": str(build / "output"),
        "console_file": str(build / provision.CONSOLE),
    }
    if not disk:
        return variables
    return variables | {
        "base_image": str(disk.resolve()),
        "base_checksum": f"sha256:{fetch.digest(disk)}",
        "memory_mb": golden.memory_mb,
        "cpus": golden.cpus,
        "accelerator": qemu.accelerator(),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[IO[str]]:
    """One bake at a time in a folder. Packer holds the lock as well: a killed kit's goes on a while."""
    try:
        tools.private(folder)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise KitError(
            f"{error.filename}: {error.strerror}", "run as who baked there before, or chown it"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise KitError(
                f"another bake is at work in {folder}", "wait for it to end, then run again"
            ) from None
        yield lock


def _room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free >> 20
    if free < SPACE_MB:
        raise KitError(
            f"no space to bake in: {folder} has {free} MB free, {SPACE_MB} needed",
            "make room there, for example by removing images that are no longer used",
        )
