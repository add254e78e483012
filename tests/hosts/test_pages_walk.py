"""The page on networks without Docker Hub, walked from its first command to its last."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from sandbox.world import World
from tests.hosts.kit import Kit, until
from tests.pages import commands

pytestmark = pytest.mark.long  # two hosts from nothing, and a bundle
HERE = "tests/hosts/test_pages_walk.py::test_the_page_is_walked"


def test_the_page_is_walked(world: World, kit: Kit, tmp_path: Path) -> None:
    file, output = world.state / "hosts.toml", dict[str, str]()
    kit.env["RUNNERKIT_SETTINGS"] = str(file)
    try:
        for line in commands(HERE):
            if line.startswith("curl "):
                typed = line.replace("$GITLAB", world.gitlab_url)
                typed = typed.replace(".sandbox/", f"{world.state}/")
                subprocess.run(["bash", "-ec", typed], check=True, capture_output=True)
                until(lambda: "Job succeeded" in kit.run("runner.logs", "--host", "ci1").out)
            elif not line.startswith("export "):
                _, *words = shlex.split(line.replace("site.tar", str(tmp_path / "site.tar")))
                ran = kit.run(*words, timeout=900)
                assert ran.code == 0, ran.out + ran.err
                output[" ".join(words)] = ran.out
        (mirror,) = re.findall(rf"{world.mirror_url} .*", output["mirror.probe --host ci1"])
        assert re.match(r"\S+ +settings +good ", mirror)
        assert "Job succeeded" in output["runner.logs --host ci1"]
        assert any("\nit runs" in job["trace"] for job in kit.gitlab.jobs().values())
        (bundled,) = [text for verb, text in output.items() if "--bundle" in verb]
        assert re.search(r"^ci2 +changed", bundled, re.MULTILINE)
    finally:
        world.remove("ci1")
        world.remove("ci2")
        file.unlink(missing_ok=True)
        for name in ("ci1-try", "ci2-try"):
            kit.gitlab.forget_runners(name)
