"""What a Prometheus is given: files of the kit's own, names that managers know, a port on loopback."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from runnerkit import container, converge
from runnerkit.actions import metrics
from runnerkit.errors import KitError, Mistakes
from runnerkit.fleet.health.metrics import write
from runnerkit.settings.load import load
from runnerkit.settings.model import Settings
from tests.unit import build
from tests.unit.build import GOOD, converged, want

HOSTS = {"ci1": "root@10.0.0.1:2222", "ci2": "[2001:db8::1]", "here": "local", 'a"b': "alias"}
LOOPBACK = "127.0.0.1:9252"
PLACES = converged().containers["gitlab-runner"]


def settings(**manager: Any) -> Settings:
    hosts = {"ci1": {"address": "root@10.0.0.1"}}
    return load(command_line={"manager": {"metrics": LOOPBACK, **manager}, "hosts": hosts})


def test_a_manager_on_loopback_is_scraped_by_a_tunnel() -> None:
    text = metrics.files(HOSTS, LOOPBACK)[metrics.HOSTS]
    assert re.findall(r"ssh -N .*", text) == [
        "ssh -N -L 19252:127.0.0.1:9252 -p 2222 root@10.0.0.1",
        "ssh -N -L 19253:127.0.0.1:9252 2001:db8::1",
        "ssh -N -L 19255:127.0.0.1:9252 alias",
    ]
    targets = ["127.0.0.1:19252", "127.0.0.1:19253", LOOPBACK, "127.0.0.1:19255"]
    assert re.findall(r'targets: \["(.*)"\]', text) == targets
    assert '{ host: "a\\"b" }' in text


@pytest.mark.parametrize(
    ("where", "targets"),
    [
        ("0.0.0.0:9100", ["10.0.0.1:9100", "[2001:db8::1]:9100", "127.0.0.1:9100", "alias:9100"]),
        ("10.1.1.1:9252", ["10.1.1.1:9252"] * 4),
    ],
)
def test_one_that_answers_others_is_scraped_there(where: str, targets: list[str]) -> None:
    text = metrics.files(HOSTS, where)[metrics.HOSTS]
    assert re.findall(r'targets: \["(.*)"\]', text) == targets
    assert "ssh" not in text


def test_files_are_written_once_and_never_over_somebodys_own(tmp_path: Path) -> None:
    folder = tmp_path / "new/prometheus"
    assert {one.changed for one in write(settings(), folder)} == {True}
    assert {one.changed for one in write(settings(), folder)} == {False}
    moved = write(settings(metrics="127.0.0.1:9100"), folder)
    assert [one.path.name for one in moved if one.changed] == [metrics.HOSTS]
    rules, before = folder / "gitlab-runner.rules.yml", (folder / metrics.HOSTS).read_text()
    for text in (rules.read_text().replace("15m", "5m"), "theirs", ""):
        rules.write_text(text)
        with pytest.raises(KitError) as caught:
            write(settings(), folder)
        assert "nothing was written" in caught.value.fix
        assert (rules.read_text(), (folder / metrics.HOSTS).read_text()) == (text, before)
    rules.unlink()
    rules.symlink_to("nowhere")
    with pytest.raises(KitError):
        write(settings(), folder)


def test_without_hosts_or_metrics_nothing_is_written(tmp_path: Path) -> None:
    for given in (load(), settings(metrics="")):
        with pytest.raises(KitError):
            write(given, tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(KitError):
        write(settings(), tmp_path / "file")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_dashboard_is_data_and_every_alert_has_its_parts() -> None:
    files = metrics.files(HOSTS, LOOPBACK)
    panels = json.loads(files["gitlab-runner.dashboard.json"])["panels"]
    assert len({one["id"] for one in panels}) == len(panels) == 10
    alerts = files["gitlab-runner.rules.yml"].split("- alert: ")[1:]
    assert len(alerts) == 10
    for part in ("expr:", "severity:", "summary:", "fix:"):
        assert all(part in one for one in alerts)


PORTS = {"PortBindings": {"9252/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9252"}]}}
LISTENS = f'listen_address = ":9252"\n{GOOD}'


@pytest.mark.parametrize(
    ("host", "config", "titles"),
    [
        (PORTS, LISTENS, []),
        ({}, LISTENS, ["replace the container gitlab-runner (metrics on 127.0.0.1:9252)"]),
        (PORTS, GOOD, [f"write {build.CONFIG}"]),
        ({"NetworkMode": "host"}, f'listen_address = "{LOOPBACK}"\n{GOOD}', []),
        ({"NetworkMode": "host"}, LISTENS, [f"write {build.CONFIG}"]),
    ],
)
def test_a_manager_is_reached_on_the_hosts_own_address(
    host: dict[str, Any], config: str, titles: list[str]
) -> None:
    now = build.container(HostConfig=host)
    have = converged(config, containers={"gitlab-runner": now})
    assert [one.title for one in converge.plan(want(manager={"metrics": LOOPBACK}), have)] == titles
    if not host:
        assert converge.plan(want(), converged()) == [], "who asks for none gets none"


def test_one_that_publishes_elsewhere_moves_and_keeps_its_other_ports() -> None:
    other = {"8093/tcp": [{"HostIp": "", "HostPort": "8093"}], **PORTS["PortBindings"]}
    now = build.container(HostConfig={"PortBindings": other})
    have = converged(LISTENS, containers={"gitlab-runner": now})
    (change,) = converge.plan(want(manager={"metrics": "127.0.0.1:9300"}), have)
    published = re.findall(r"--publish=(\S+)", change.text)  # type: ignore[union-attr]
    assert published == ["8093:8093/tcp", "127.0.0.1:9300:9252"]
    assert f"{9300:04X}" in change.text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    ["localhost:9252", ":9252", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "999.1.1.1:9252", "[::x]:1", "[:::]:9252", "1.1.1.1:9252 --privileged"],
)  # fmt: skip
def test_an_address_that_is_none_is_told(wrong: str) -> None:
    with pytest.raises(Mistakes) as caught:
        settings(metrics=wrong)
    assert "manager.metrics" in str(caught.value)


def test_two_words_for_one_address_are_told() -> None:
    with pytest.raises(Mistakes):
        settings(settings={"listen_address": ":9252"})
    assert container.shares({"HostConfig": {"NetworkMode": "container:x"}})
