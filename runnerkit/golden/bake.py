"""A machine image, baked: a base disk, set up by the kit in QEMU, sealed, with all that is known of it."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import msgspec

from runnerkit.errors import KitError
from runnerkit.fleet import Say
from runnerkit.golden import base, builddir, packer, provision, qemu, tools
from runnerkit.golden.provision import Watch
from runnerkit.settings import ROOT, Golden, Settings
from runnerkit.steps import first_boot

FOLDER = ROOT / ".golden"
SPACE_MB = 6000  # the machine's disk, and the image beside it


def bake(settings: Settings, say: Say, folder: Path = FOLDER) -> Path:
    """Bake an image.

    Args:
        settings: of the machines that will be made from it.
        say: told where it is.
        folder: where images, and the base disks that they share, are kept.

    Returns:
        The image: NAME/NAME.qcow2, with .sha256, manifest.json, provenance.json, packages.tsv,
        images.jsonl and timings.json beside it. Nothing is there under that name before it is whole.

    Raises:
        KitError: something that is needed is missing, or a step failed; nothing stays of it but
            the base disk and the console's words.
    """

    def line(text: str) -> None:
        say(provision.NAME, text)

    provision.wanted(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder) as lock:
        _room(folder)
        tools.need(tools.QEMU | tools.PACKER, line)
        watch = Watch()
        watch.phase("base disk")
        line("[1/4] base disk")
        docker = settings.docker.source == "distro"
        disk = base.disk(settings.golden, folder, line, docker)
        watch.phase("prepare")
        name = next_name(folder)
        with builddir.made(folder, name, settings) as build:
            origin = provenance(settings, disk)
            (build / "provenance.json").write_text(_json(origin))
            variables = _variables(settings.golden, name, disk, build)
            line(f"[2/4] build {name} ({variables['accelerator']})")
            packer.build(variables, build, watch, line, lock.fileno())
            watch.phase("checksum")
            line("[3/4] describe it")
            ready = _described(build, name, origin, watch)
            ready.rename(folder / name)
    line(f"[4/4] {name} is ready")
    return folder / name / f"{name}.qcow2"


def next_name(folder: Path, today: date | None = None) -> str:
    """runner-host-YYYYMMDD-N, with the first N of that day that is free."""
    stem = f"runner-host-{today or date.today():%Y%m%d}"
    taken = [
        int(m[1]) for p in folder.glob(f"{stem}-*") if (m := re.fullmatch(rf"{stem}-(\d+)", p.name))
    ]
    return f"{stem}-{max(taken, default=0) + 1}"


def newest(folder: Path = FOLDER) -> Path:
    """The image that was baked last.

    Raises:
        KitError: there is none.
    """
    made = sorted(folder.glob("runner-host-*/*.qcow2"), key=lambda path: path.stat().st_mtime)
    if not made:
        raise KitError(f"no image in {folder}", "./inv golden.bake makes one")
    return made[-1]


def provenance(settings: Settings, disk: Path) -> dict[str, Any]:
    """Where an image comes from. The settings are told by a hash, in which no secret is."""
    plain = msgspec.json.encode(msgspec.to_builtins(settings), order="deterministic")
    return {
        "kit": _version(),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "date": f"{datetime.now(UTC):%FT%TZ}",
        "base": settings.golden.base or f"packages of {settings.golden.suite}",
        "base_recipe": base.recipe(settings.golden, settings.docker.source == "distro"),
        "base_sha256": digest(disk),
        "settings_sha256": hashlib.sha256(plain).hexdigest(),
        "packer": packer.release(),
        "qemu": _first_line(qemu.QEMU, "--version"),
        "accelerator": qemu.accelerator(),
    }


def digest(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _described(build: Path, name: str, origin: dict[str, Any], watch: Watch) -> Path:
    """The folder of the finished image, still under a name of its own."""
    image = build / "output" / f"{name}.qcow2"
    known = base.about(image)
    told = json.loads((build / "provision.json").read_text())
    images = (build / "images.jsonl").read_text().splitlines()
    manifest = {
        "name": name,
        "file": image.name,
        "sha256": digest(image),
        "bytes": image.stat().st_size,
        "disk_bytes": known["virtual-size"],
        "packages": len((build / "packages.tsv").read_text().splitlines()),
        "images": [tag for one in images for tag in json.loads(one)["tags"] or ()],
    }
    ready = image.parent
    (ready / "packer.json").unlink(missing_ok=True)
    for file in provision.LISTS:
        shutil.move(build / file, ready / file)
    (ready / f"{name}.sha256").write_text(f"{manifest['sha256']}  {image.name}\n")
    (ready / "manifest.json").write_text(_json(manifest))
    (ready / "provenance.json").write_text(_json(origin))
    watch.phase("")
    (ready / "timings.json").write_text(_json({**told, "phases": watch.seconds}))
    return ready


def _variables(golden: Golden, name: str, disk: Path, build: Path) -> dict[str, str | int]:
    """What packer/variables.pkr.hcl asks for."""
    return {
        "image_name": name,
        "provision": builddir.command(build),
        "ssh_username": provision.USER,
        "ssh_private_key_file": str(build / provision.KEY),
        "user_data_file": str(build / "user-data"),
        "meta_data_file": str(build / "meta-data"),
        "power_off_command": f"sh {first_boot.POWER_OFF}",
        "base_image": str(disk.resolve()),
        "base_checksum": f"sha256:{digest(disk)}",
        "output_directory": str(build / "output"),
        "disk_size": f"{golden.disk_gb}G",
        "memory_mb": golden.memory_mb,
        "cpus": golden.cpus,
        "accelerator": qemu.accelerator(),
        "console_file": str(build / provision.CONSOLE),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[IO[str]]:
    """One bake at a time in a folder. Packer holds the lock as well: a killed kit's goes on a while."""
    with (folder / "lock").open("w") as lock:
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


def _version() -> str:
    try:
        return version("runnerkit")
    except PackageNotFoundError:
        text = (ROOT / "pyproject.toml").read_text()
        found = re.search(r'^version = "(.+)"', text, re.MULTILINE)
        return found[1] if found else "unknown"


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    return ran.stdout.strip()


def _first_line(*command: str) -> str:
    told: str = tools.run([*command], f"ask {command[0]} its version", "install it anew")
    return told.splitlines()[0]


def _json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"
