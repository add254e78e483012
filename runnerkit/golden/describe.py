"""What is known of an image: where it comes from, what is in it, how long each phase took."""

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from runnerkit import __version__
from runnerkit.golden import base, fetch, packer, provision, qemu, tools
from runnerkit.golden.provision import Watch
from runnerkit.golden.vm import PROGRAM
from runnerkit.place import CLONE, ROOT
from runnerkit.settings.model import Settings


def provenance(settings: Settings, disk: Path | None) -> dict[str, Any]:
    """Where an image comes from. The settings are told by a hash, in which no secret is."""
    plain = msgspec.json.encode(msgspec.to_builtins(settings), order="deterministic")
    origin = {
        "kit": __version__,
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "date": f"{datetime.now(UTC):%FT%TZ}",
        "settings_sha256": hashlib.sha256(plain).hexdigest(),
        "packer": packer.release(),
    }
    if not disk:
        return origin
    return origin | {
        "base": settings.golden.base or f"packages of {settings.golden.suite}",
        "base_recipe": base.recipe(settings.golden, settings.docker.source == "distro"),
        "base_sha256": fetch.digest(disk),
        "qemu": _first_line(PROGRAM, "--version"),
        "accelerator": qemu.accelerator(),
    }


def finished(
    build: Path, name: str, built: dict[str, Any], origin: dict[str, Any], watch: Watch
) -> Path:
    """The folder of the finished image, still under a name of its own."""
    ready = build / "output"
    provisioned = json.loads((build / "provision.json").read_text())
    images = (build / "images.jsonl").read_text().splitlines()
    manifest = {
        "name": name,
        "builder": built["builder_type"],
        "artifact": built["artifact_id"],
        "packages": len((build / "packages.tsv").read_text().splitlines()),
        "images": [tag for one in images for tag in json.loads(one)["tags"] or ()],
    }
    if (image := ready / f"{name}.qcow2").exists():
        manifest |= {
            "file": image.name,
            "sha256": (sha256 := fetch.digest(image)),
            "bytes": image.stat().st_size,
            "disk_bytes": base.about(image)["virtual-size"],
        }
        (ready / f"{name}.sha256").write_text(f"{sha256}  {image.name}\n")
    (ready / packer.MANIFEST).unlink()
    for file in provision.LISTS:
        shutil.move(build / file, ready / file)
    (ready / "manifest.json").write_text(pretty(manifest))
    (ready / "provenance.json").write_text(pretty(origin))
    watch.phase("")
    (ready / "timings.json").write_text(pretty({**provisioned, "phases": watch.seconds}))
    return ready


def _git(*words: str) -> str:
    """What git says of the kit's clone; "" where it is none, or there is no git."""
    if not CLONE:  # what it is installed in may be somebody else's clone
        return ""
    command = ["git", "-C", str(ROOT), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _first_line(*command: str) -> str:
    output: str = tools.run([*command], f"ask {command[0]} its version", "install it anew")
    return output.splitlines()[0]


def pretty(data: Any) -> str:
    """As the files beside an image have it."""
    return json.dumps(data, indent=2) + "\n"
