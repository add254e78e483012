"""The kit run on the very machine that it sets up."""

import io
import subprocess
import sys
import sysconfig
import tarfile

import pytest
import tomlkit

from runnerkit.place import ROOT
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

PARTS = ("tasks.py", "runnerkit", "templates", "dockerfiles")


def carry(kit: Kit, host: BlankHost) -> None:
    """Put the kit and its libraries on the host."""
    pack = io.BytesIO()
    with tarfile.open(fileobj=pack, mode="w") as tar:
        for part in PARTS:
            tar.add(ROOT / part, part)
        tar.add(sysconfig.get_paths()["purelib"], "site-packages")
    kit.ssh(host, "apt-get install -y --no-install-recommends python3 >/dev/null 2>&1; mkdir /kit")
    into = ["docker", "exec", "-i", kit.world.names.container(f"host-{host.name}")]
    subprocess.run([*into, "tar", "-C", "/kit", "-xf", "-"], input=pack.getvalue(), check=True)
    kit.data["hosts"] = {}
    settings = tomlkit.dumps(kit.data).encode()
    write = "cat >/kit/runnerkit.toml; chmod -R a+rX /kit"
    subprocess.run([*into, "sh", "-c", write], input=settings, check=True)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the host's Python is 3.11")
def test_a_machine_sets_itself_up_as_root_and_with_sudo(kit: Kit, blank: Blank) -> None:
    host = blank("systemd", "itself")
    kit.settings(host)
    token = kit.new_token("itself", tag_list="itself")
    carry(kit, host)

    def run(user: str, words: str, env: str = "") -> tuple[int, str]:
        script = (
            f"su {user} -c 'cd /kit && RUNNER_TOKEN={token} {env} PYTHONPATH=/kit/site-packages"
            f" python3 -m invoke {words} --host local' 2>&1; echo exit $?"
        )
        out, _, code = kit.ssh(host, script).rpartition("exit ")
        return int(code), out

    code, out = run("carol", "plan")
    assert (code, "sudo on the host wants a password" in out) == (1, True)
    assert run("ops", "plan")[0] == 2
    code, out = run("carol", "bootstrap", f"RUNNERKIT_SUDO_PASSWORD={kit.world.sudo_password}")
    assert code == 0, out
    for user in ("root", "ops"):
        code, out = run(user, "bootstrap")
        assert (code, out.splitlines()[-1].split()[:3]) == (0, ["local", "ok", "0"])
    assert kit.job("true", image="tester", tags=["itself"])["state"] == "success"
