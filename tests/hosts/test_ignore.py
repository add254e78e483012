""".dockerignore leaves out what Docker leaves out: the same contexts, by Docker and by the kit."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from runnerkit.images import context
from sandbox.world import World

FILES = (
    "README.md", "readme.md", "a.txt", "b.txt", "[x].txt", "x.txt", "temp", "tempa", "tempb/c",
    "src/main.c", "src/main.o", "src/lib/lib.o", "src/lib/deep/er/lib.o", "src/lib/keep.o",
    "docs/a.md", "docs/b/README.md", "docs/b/c.md", "node_modules/x/y", "web/node_modules/x/y",
    "web/app.js", "a*b", "acb", ".git/config", ".env", "web/.env", "sp ace/f", "-dash",
)  # fmt: skip
PATTERNS = (
    "*.md\n!README.md", "readme.md", "*/temp*\n*/*/temp*\ntemp?", "**/*.o\n!src/lib/keep.o", "src/**\n!src/lib/deep/**",
    "node_modules", "**/node_modules", "/a.txt\n./b.txt", "docs/\n!docs/b", "docs/**/README.md", "*\n!src\n!web/app.js",
    "[a-b].txt", "[^a].txt", r"a\*b", "# comment\n\n  a.txt  \n!  ", "src/lib/../main.c", "**", "*\n!**/*.o", "**/.env\n.git",
    ".", "sp ace", "-dash", "!a.txt\n*.txt", "docs\n!docs/b/c.md", "*/*", "**/b", "src/*/*.o", ".dockerignore\nDockerfile", "?.txt", "web/**/x", "[[]x].txt",
)  # fmt: skip
REFUSED = {p for p in PATTERNS if p.endswith("!  ")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = tmp_path_factory.mktemp("context")
    for name in FILES:
        path = result / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (result / "web/link").symlink_to("app.js")
    (result / "empty").mkdir()
    (result / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return result


def by_docker(folder: Path) -> set[str]:
    """What reaches an image: built, made into a container, exported."""
    image = docker("build", "-q", "--force-rm", str(folder)).decode().split()[-1]
    result = docker("create", image, "x").decode().strip()
    try:
        tar = docker("export", result)
    finally:
        docker("rm", result)
        docker("rmi", image)
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {member.name.rstrip("/") for member in archive.getmembers()}


def docker(*words: str) -> bytes:
    classic = {**os.environ, "DOCKER_BUILDKIT": "0"}
    return subprocess.run(["docker", *words], env=classic, capture_output=True, check=True).stdout


@pytest.mark.parametrize("patterns", [p for p in PATTERNS if p not in REFUSED])
def test_what_is_left_out_is_what_docker_leaves_out(
    world: World, folder: Path, patterns: str
) -> None:
    (folder / ".dockerignore").write_text(patterns)
    beside = {".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "etc", "etc/hostname",
              "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys"}  # fmt: skip
    ours = {entry.name for entry in context.entries(str(folder), classic=True)}
    parents = {str(parent) for name in ours for parent in Path(name).parents} - {"."}
    # Docker makes the folders above a file that is kept; the Dockerfile it needs itself.
    assert by_docker(folder) - beside == (ours | parents) - beside


def test_a_pattern_that_docker_refuses_is_refused_by_docker(world: World, folder: Path) -> None:
    for patterns in REFUSED:
        (folder / ".dockerignore").write_text(patterns)
        with pytest.raises(subprocess.CalledProcessError):
            by_docker(folder)
