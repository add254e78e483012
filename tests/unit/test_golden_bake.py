"""Baking, as far as it goes without a machine: names, recipes, what is told, what is refused."""

import json
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context

import runnerkit
import tasks
from runnerkit import resolve
from runnerkit.errors import KitError
from runnerkit.golden import bake, base, builddir, describe, fetch, packer, provision, qemu
from runnerkit.settings.load import load
from runnerkit.settings.model import Golden, Settings
from tests.unit.build import blank

SETTINGS: dict[str, Any] = {
    "gitlab": {"url": "https://gitlab.example.com", "api_token": {"env": "GITLAB_TOKEN"}},
    "runners": {"web": {"image": "tester", "token": {"command": ["false"]}}},
    "images": {"tester": {"base": "debian:bookworm"}},
}


def read(**more: Any) -> Settings:
    return load(command_line={**SETTINGS, **more})


def silent(*_: object) -> None:
    pass


def test_an_image_is_named_after_its_time_as_every_cloud_allows() -> None:
    name = bake.name(datetime(2026, 11, 25, 7, 8, 9, tzinfo=UTC))
    assert name == "runner-host-20261125-070809"
    assert re.fullmatch("[a-z][a-z0-9-]{,62}", name)


def test_a_base_disk_is_good_for_a_week_and_one_recipe() -> None:
    monday, sunday, next_ = date(2026, 11, 23), date(2026, 11, 29), date(2026, 11, 30)
    known = base.recipe(Golden(), today=monday)
    assert base.recipe(Golden(memory_mb=4096), today=sunday) == known
    assert base.recipe(Golden(), today=next_) != known
    assert base.recipe(Golden(), docker=True, today=monday) != known
    for other in (
        {"disk_gb": 10},
        {"suite": "trixie"},
        {"packages": ("jq",)},
        {"base": "https://a/b"},
        {"base": "https://a/b", "base_checksum": "none"},
    ):
        assert base.recipe(Golden(**other), today=monday) != known


def test_a_base_that_is_not_there_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(KitError, match=r"no base disk .*none\.qcow2") as caught:
        base.disk(Golden(base=str(tmp_path / "none.qcow2")), tmp_path, silent)
    assert "[golden] base" in caught.value.fix


def test_no_token_is_read_for_an_image() -> None:
    result = provision.wanted(read())  # the token's command would fail
    assert [runner.token for runner in result.runners] == [None]
    assert [image.name for image in result.images] == ["tester"]


SCALED = {"plugin": "aws", "policy": [{}], "plugin_config": {"password": {"env": "NOT_SET"}}}


def test_settings_of_an_autoscaler_are_good_for_its_machines(tmp_path: Path) -> None:
    """With nothing of what only its manager needs: no secret, and no manager's image."""
    runner = {"executor": "instance", "autoscaler": SCALED, "token": {"command": ["false"]}}
    result = provision.wanted(read(manager={"concurrent": 1}, images={}, runners={"web": runner}))
    script = provision.selftest(result, blank())
    assert "gitlab-runner:v" not in script
    assert "--entrypoint sh  -c" not in script
    assert "runuser -u runner -- gitlab-runner --version" in script
    assert "first-boot" not in script
    (tmp_path / "provenance.json").write_text("{}")
    finish = provision._finish(result, tmp_path)
    for word in (
        "set -- git\n",
        ">/usr/local/bin/gitlab-runner",
        "docker image rm gitlab/gitlab-runner:v",
    ):
        assert word in finish
    for text in (script, finish):
        assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0


@pytest.mark.parametrize(("docker", "closed"), [({}, True), ({"metadata": "open"}, False)])
def test_machines_of_a_shared_autoscaler_keep_jobs_from_the_metadata_address(
    docker: dict[str, str], closed: bool
) -> None:
    runner = {**SETTINGS["runners"]["web"], "executor": "docker-autoscaler", "hardening": "shared"}
    runner |= {"autoscaler": {**SCALED, "plugin_config": {}}, "token": {"env": "NOT_SET"}}
    settings = read(manager={"concurrent": 1}, docker=docker, runners={"web": runner})
    assert provision.wanted(settings).metadata_closed is closed
    assert not resolve.of_host(settings, "").metadata_closed, "the plugin needs it there"


def test_an_image_is_for_the_runners_that_golden_names() -> None:
    more = {**SETTINGS["runners"], "docs": {"image": "debian:bookworm"}}
    result = provision.wanted(read(golden={"runners": ["web"]}, runners=more))
    assert [runner.key for runner in result.runners] == ["web"]
    with pytest.raises(KitError, match=r"golden.runners: no runner 'doc'.*docs"):
        read(golden={"runners": ["doc"]}, runners=more)


def test_settings_of_no_runner_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="no runner is named"):
        bake.bake(read(runners={}), silent, tmp_path / "golden")
    assert not (tmp_path / "golden").exists()


def test_a_cloud_s_image_is_not_made_of_the_sandbox_s_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNNERKIT_SETTINGS", raising=False)
    with pytest.raises(KitError, match="no GitLab is named"):
        tasks.golden_bake(Context(), source="amazon-ebs")


def test_one_bake_at_a_time(tmp_path: Path) -> None:
    with bake._alone(tmp_path), pytest.raises(KitError, match="another bake"):
        bake.bake(read(), silent, tmp_path)


def test_no_space_is_told_with_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(KitError, match=r"100 MB free, \d+ needed"):
        bake.bake(read(), silent, tmp_path)


def test_a_builds_folder_is_closed_to_others_and_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "build-killed").mkdir()
    with builddir.build_folder(tmp_path, "runner-host-1", read()) as build:
        assert [path.name for path in tmp_path.iterdir()] == ["build-runner-host-1"]
        assert build.stat().st_mode & 0o777 == 0o700
        assert (build / "bake_key").stat().st_mode & 0o777 == 0o600
        (build / "console.log").write_text("login:")
    assert [path.name for path in tmp_path.iterdir()] == ["console.log"]


def test_the_build_has_the_very_settings_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-sentinel0000000000")
    wanted = read(golden={"packages": ["jq"]}, hosts={"a": {"address": "ci@a"}})
    with builddir.build_folder(tmp_path, "runner-host-1", wanted) as build:
        again = load(build / "runnerkit.toml")
        assert again == wanted
        assert all("sentinel" not in path.read_text() for path in build.iterdir())


def test_the_machine_gets_the_host_key_that_the_kit_expects(tmp_path: Path) -> None:
    with builddir.build_folder(tmp_path, "runner-host-1", read()) as build:
        seed = (build / "user-data").read_text()
        assert seed.startswith("#cloud-config\n")
        block = seed.split("ed25519_private: |\n")[1].split("  ed25519_public")[0]
        (tmp_path / "key").write_text("".join(line[4:] + "\n" for line in block.splitlines()))
        (tmp_path / "key").chmod(0o600)
        public = subprocess.run(
            ["ssh-keygen", "-y", "-f", str(tmp_path / "key")],
            text=True,
            capture_output=True,
            check=True,
        ).stdout.strip()
        assert public == (build / "host_key.pub").read_text()
        assert f"ed25519_public: {public}" in seed
        assert (build / "bake_key.pub").read_text() in seed


def test_the_self_test_asks_for_all_that_an_image_needs() -> None:
    result = provision.wanted(read(golden={"user": "ci"}))
    script = provision.selftest(result, blank())
    for word in ("gitlab/gitlab-runner:v19.3.0", "gitlab-runner-helper:x86_64-v19.3.0", "tester",
                 "runuser -u ci", "is-enabled runnerkit-first-boot.service", "config.toml"):  # fmt: skip
        assert word in script
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0


SYSTEMCTL = """#!/bin/sh
case $* in
  --failed*) echo 'broken.service loaded failed failed' ;;
  *ssh.SSH) exit 0 ;;
  *ssh.*) echo disabled; exit 1 ;;
esac
"""


@pytest.mark.parametrize(("enabled", "right"), [("service", True), ("socket", True), ("no", False)])
def test_the_self_test_names_what_is_wrong(tmp_path: Path, enabled: str, right: bool) -> None:
    result = read(manager={"config_dir": str(tmp_path)})
    for name in ("docker", "runuser"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / "systemctl").write_text(SYSTEMCTL.replace("SSH", enabled))
    for name in ("docker", "runuser", "systemctl"):
        (tmp_path / name).chmod(0o755)
    ran = subprocess.run(
        ["sh"], input=provision.selftest(provision.wanted(result), blank()), text=True, check=False,
        capture_output=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    output = [] if right else ["SSH is not enabled: disabled"]
    assert ran.stderr.splitlines() == [
        *output,
        "a unit failed: broken.service loaded failed failed",
    ]
    assert ran.returncode == 1


def test_a_bake_in_another_users_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()  # as good as one that may not be written to
    with pytest.raises(KitError, match=r"/lock: Is a directory") as caught:
        bake.bake(read(), silent, tmp_path)
    assert "chown" in caught.value.fix


def test_a_kit_without_git_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    assert describe._git("rev-parse", "HEAD") == ""


def test_an_accelerator_that_boots_nothing_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    qemu.accelerator.cache_clear()
    monkeypatch.setattr(qemu, "boots", lambda _: False)
    assert qemu.accelerator() == "tcg"
    qemu.accelerator.cache_clear()


def test_where_an_image_comes_from_tells_settings_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (disk := tmp_path / "base.qcow2").write_bytes(b"disk")
    monkeypatch.setattr(packer, "release", lambda: "1.6.6")
    monkeypatch.setattr(describe, "_first_line", lambda *_: "QEMU 7.2")
    monkeypatch.setattr(qemu, "accelerator", lambda: "tcg")
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-sentinel0000000000")
    one = describe.provenance(read(), disk)
    two = describe.provenance(read(golden={"packages": ["jq"]}), disk)
    assert one["settings_sha256"] != two["settings_sha256"]
    assert one["base_sha256"] == fetch.digest(disk)
    assert one["kit"] == runnerkit.__version__
    assert "sentinel" not in json.dumps(one)
