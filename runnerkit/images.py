"""Job images: from a folder of dockerfiles/ or a section of the settings to one hash."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.plan import render
from runnerkit.settings import ROOT, Image, Settings

FOLDERS = ROOT / "dockerfiles"


@dataclass(frozen=True)
class JobImage:
    """An image that exists only where it is built; `context` is "" where it has no files."""

    name: str
    dockerfile: str
    context: str = ""
    args: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    hash: str = ""

    @property
    def reference(self) -> str:
        """The plain name, which config.toml and .gitlab-ci.yml use: a rebuild changes neither."""
        return f"{self.name}:latest"

    @property
    def hashed(self) -> str:
        """The name that says what is in it."""
        return f"{self.name}:{self.hash}"


def find(settings: Settings, name: str) -> JobImage | None:
    """The job image of that name; None where the name is any other image's reference."""
    if name in settings.images:
        return _rendered(name, settings.images[name])
    folder = FOLDERS / name
    if not name or "/" in name or not folder.is_dir():
        return None
    template, plain = folder / "Dockerfile.j2", folder / "Dockerfile"
    if template.exists():
        text = render(f"{name}/Dockerfile.j2")
    elif plain.exists():
        text = plain.read_text()
    else:
        raise KitError(f"dockerfiles/{name} has no Dockerfile", "add one, or a Dockerfile.j2")
    return _hashed(JobImage(name, text, str(folder)))


def _rendered(name: str, image: Image) -> JobImage:
    text = render("Dockerfile.j2", image=image)
    return _hashed(JobImage(name, text, "", image.build_args, image.labels, image.platform))


def _hashed(image: JobImage) -> JobImage:
    digest = hashlib.sha256()
    said = (image.dockerfile, image.args, image.labels, image.platform)
    digest.update(json.dumps(said, sort_keys=True).encode())
    for relative, path in files(image.context):
        digest.update(f"\0{relative}\0{path.lstat().st_mode:o}\0".encode())
        digest.update(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())
    known = {**image.__dict__, "hash": digest.hexdigest()[:12]}
    return JobImage(**known)


def files(context: str) -> Iterator[tuple[str, Path]]:
    """The files of a build context that its .dockerignore lets through, sorted."""
    if not context:
        return
    folder = Path(context)
    ignore = folder / ".dockerignore"
    if ignore.exists():
        from docker.utils.build import exclude_paths

        lines = (line.strip() for line in ignore.read_text().splitlines())
        patterns = [line for line in lines if line and not line.startswith("#")]
        names = sorted(exclude_paths(context, patterns, dockerfile="Dockerfile"))
    else:
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    for name in names:
        path = folder / name
        if path.is_symlink() or path.is_file():
            yield name, path
