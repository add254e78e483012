"""The alert rules: Prometheus's own program checks them, and fires each by series made for it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from runnerkit.fleet.health.metrics import write
from runnerkit.settings.load import load

SERIES = Path(__file__).parent / "rules.test.yml"
HOSTS = {"ci1": {"address": "root@10.0.0.1"}, "ci2": {"address": "local"}}


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Prometheus's programs, from Debian's package, unpacked and not installed."""
    if known := shutil.which("promtool"):
        return Path(known).parent
    folder = tmp_path_factory.mktemp("prometheus")
    get = "apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }"
    done = subprocess.run(
        f"({get}) && dpkg -x prometheus_*.deb .", shell=True, cwd=folder, check=False
    )
    if done.returncode:
        pytest.skip("there is no package of prometheus to be had")
    return folder / "usr/bin"


def test_the_rules_are_right_and_each_fires_when_it_should_and_only_then(
    prometheus: Path, tmp_path: Path
) -> None:
    settings = {"manager": {"metrics": "127.0.0.1:9252"}, "hosts": HOSTS}
    files = {one.path.name for one in write(load(command_line=settings), tmp_path)}
    assert {"prometheus.yml", "gitlab-runner.rules.yml"} < files
    shutil.copy(SERIES, tmp_path)
    for words in (("check", "config", "prometheus.yml"), ("test", "rules", SERIES.name)):
        ran = subprocess.run(
            [prometheus / "promtool", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    rules, tests = (tmp_path / "gitlab-runner.rules.yml").read_text(), SERIES.read_text()
    alerts = [line.split()[2] for line in rules.splitlines() if "- alert:" in line]
    assert all(f"alertname: {one}\n        exp_alerts:\n" in tests for one in alerts)
