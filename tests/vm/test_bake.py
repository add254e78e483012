"""An image, baked for real in QEMU from nothing but packages; then looked into without booting it."""

import fcntl
import json
import mmap
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from runnerkit.events import Event
from runnerkit.golden import bake, builddir, fetch, tools
from runnerkit.report.progress import line
from runnerkit.settings.load import load
from sandbox.world import World, up

TOKEN = "glrt-sentinel000000000000"
BAKE = """
import sys
from pathlib import Path
from runnerkit.golden import bake
from runnerkit.report.progress import line
from runnerkit.settings.load import load
bake.bake(load(Path(sys.argv[1])), lambda _, event: print(line(event), flush=True), Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def world() -> World:
    return up()


@pytest.fixture(scope="module")
def file(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings, with a token that must not be in the image."""
    path = tmp_path_factory.mktemp("settings") / "runnerkit.toml"
    secret = path.with_name("token")
    secret.write_text(TOKEN)
    data = {
        "gitlab": {"url": world.gitlab_url},
        "docker": {"registry_mirrors": [world.mirror_url]},
        "manager": {"image": world.runner_image, "concurrent": "auto"},
        "golden": {"packages": ["jq"]},
        "images": {"tester": {"base": "debian:bookworm"}},
        "runners": {
            "web": {"image": "tester", "token": {"file": str(secret)}, "docker": world.own_helper}
        },
    }
    path.write_text(tomlkit.dumps(data))
    return path


@pytest.fixture(scope="module")
def image(file: Path) -> Iterator[Path]:
    """Baked once; the base disk stays for the next run."""

    def show(host: str, event: Event) -> None:
        print(f"{time.strftime('%T')} {host}  {line(event)}", flush=True)

    result = bake.bake(load(file), show)
    yield result
    shutil.rmtree(result.parent)


@pytest.fixture(scope="module")
def raw(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    disk = tmp_path_factory.mktemp("raw") / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(image), str(disk)], check=True)
    yield disk
    disk.unlink()


def inside(raw: Path, *paths: str) -> str:
    """What debugfs says of the first partition's files."""
    script = "\n".join(paths)
    return subprocess.run(
        ["debugfs", "-f", "-", f"{raw}?offset=1048576"], input=script, text=True,
        capture_output=True, check=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin"},
    ).stdout  # fmt: skip


def there(raw: Path, path: str) -> bool:
    return "Inode:" in inside(raw, f"stat {path}")


def test_all_that_is_known_of_an_image_is_beside_it(image: Path) -> None:
    beside = image.parent
    assert image.parent.name == image.stem
    output = subprocess.run(["sha256sum", "-c", f"{image.stem}.sha256"], cwd=beside, check=False)
    assert output.returncode == 0
    manifest = json.loads((beside / "manifest.json").read_text())
    assert manifest["sha256"] == fetch.digest(image)
    assert manifest["disk_bytes"] == 8 << 30
    packages = (beside / "packages.tsv").read_text()
    assert {"docker.io", "jq", "cloud-init"} <= {
        line.split("\t")[0] for line in packages.splitlines()
    }
    images = [json.loads(line) for line in (beside / "images.jsonl").read_text().splitlines()]
    tags = [tag for one in images for tag in one["tags"]]
    assert "tester:latest" in tags
    assert any(tag.startswith("gitlab/gitlab-runner:") for tag in tags)
    assert any("gitlab-runner-helper" in tag for tag in tags)
    origin = json.loads((beside / "provenance.json").read_text())
    assert re.fullmatch("[0-9a-f]{40}", origin["commit"])
    phases = json.loads((beside / "timings.json").read_text())["phases"]
    assert {"boot to SSH", "provision", "seal", "compress"} <= set(phases)


def test_what_is_known_of_it_is_in_it_too(image: Path, raw: Path) -> None:
    for name in ("packages.tsv", "images.jsonl", "provenance.json"):
        assert (image.parent / name).read_text() in inside(raw, f"cat /usr/share/runnerkit/{name}")


@pytest.mark.parametrize(
    "path",
    ["/home/bake", "/etc/ssh/ssh_host_ed25519_key", "/var/lib/cloud/instance", "/root/.ssh/authorized_keys",
     "/srv/gitlab-runner/config/config.toml", "/srv/gitlab-runner/config/.runner_system_id",
     "/etc/sudoers.d/90-cloud-init-users", "/var/lib/docker/engine-id", "/var/lib/systemd/random-seed"],
)  # fmt: skip
def test_nothing_that_machines_must_not_share_is_in_it(raw: Path, path: str) -> None:
    assert there(raw, str(Path(path).parent)) or not path.startswith("/etc")
    assert not there(raw, path)


def test_the_machine_has_no_id_yet_and_the_login_user_no_password(raw: Path) -> None:
    assert "Size: 0" in inside(raw, "stat /etc/machine-id")
    assert not re.search("^bake:", inside(raw, "cat /etc/passwd"), re.MULTILINE)
    assert re.search("^docker:.*runner", inside(raw, "cat /etc/group"), re.MULTILINE)
    assert re.search("^runner:!", inside(raw, "cat /etc/shadow"), re.MULTILINE)


@pytest.mark.parametrize(
    "secret",
    [TOKEN.encode(), b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"],  # how a key without a passphrase begins
    ids=["token", "private key"],
)  # fmt: skip
def test_no_secret_is_anywhere_on_the_disk(raw: Path, secret: bytes) -> None:
    """Not even where deleted files were."""
    with raw.open("rb") as disk, mmap.mmap(disk.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert data.find(b"runnerkit-first-boot.service") > 0
        assert data.find(secret) == -1


def test_a_killed_bake_leaves_no_half_image_and_no_machine(file: Path, image: Path) -> None:
    folder = bake.FOLDER
    before = sorted(folder.glob("runner-host-*"))
    with subprocess.Popen(
        [sys.executable, "-c", BAKE, str(file), str(folder)], stdout=subprocess.PIPE, text=True
    ) as bakes:
        assert bakes.stdout
        output = []
        for line in bakes.stdout:
            output.append(line)
            if "Waiting for SSH" in line:
                break
        bakes.send_signal(signal.SIGKILL)
    assert "Waiting for SSH" in output[-1], output
    assert not any("packages of" in line for line in output), "the base disk was made anew"
    with (folder / "lock").open("w") as lock:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.2)
        else:
            pytest.fail("Packer goes on without the kit")
    running = tools.run(["ps", "-eo", "args"], "list processes", "")
    assert f"{folder}/{builddir.PREFIX}" not in running
    assert sorted(folder.glob("runner-host-*")) == before
