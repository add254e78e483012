"""A host watched: what its manager says, and what it answers a Prometheus."""

import json
import signal
import subprocess

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import HEEDING, Kit, until

GONE = {"gone": {"address": "root@127.0.0.1:1"}}
METRICS = {"metrics": "127.0.0.1:9252"}
SCRAPE = "exec 3<>/dev/tcp/{}/9252 && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"


def followed(kit: Kit, host: BlankHost, meanwhile: str) -> None:
    """Follow a host and one that is not there, while something befalls it and a job runs; then Ctrl-C."""
    kit.settings(host, hosts=GONE)
    command, env = kit.command("runner.logs", "--host", "all", "--follow", "--json")
    with (kit.folder / "log").open("wb") as log:
        following = subprocess.Popen(
            [*HEEDING, *command], env=env, cwd=kit.folder, stdout=log, stderr=log
        )
        text = (kit.folder / "log").read_text
        until(lambda: '"error"' in text() and "Configuration loaded" in text())
        kit.ssh(host, meanwhile)
        number = kit.job("echo")["id"]
        until(lambda: text().count(f"job={number} ") > 1)
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 1, "one host is gone"
    lines = [line for line in text().splitlines() if line.startswith("{")]
    assert len(lines) == len({*lines}), "nothing is told twice"
    left = "! pgrep -f '[l]ogs --timestamps --follow'"
    until(lambda: kit.ssh(host, f"{left} >/dev/null && echo none", check=False) == "none\n")


@pytest.mark.long
def test_what_managers_say_is_told(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "watch1")
    kit.mirrored(host)
    kit.settings(host)
    kit.new_token()
    kit.bootstrap()
    number = kit.job("exit 3")["id"]
    of_job = kit.run("runner.logs", "--host", "all", "--job", str(number))
    assert of_job.code == 0, of_job.err
    lines = of_job.out.splitlines()
    assert all(line.startswith("watch1  20") and f"job={number}" in line for line in lines)
    assert "received" in lines[0]
    assert "\\x1b" not in of_job.out, "no colours"
    bad = kit.run("runner.logs", "--host", "all", "--errors", "--since", "10m", "--json")
    rows = [json.loads(line) for line in bad.out.splitlines()]
    of_runner = {None}  # an old one says of the runner too that it failed
    assert {one["job"] for one in rows} - of_runner == {number}
    assert {one["level"] for one in rows} == {"warning"}
    assert any("Job failed" in one["text"] for one in rows)
    assert kit.env["RUNNER_TOKEN"] not in of_job.out + bad.out
    followed(kit, host, "true")


@pytest.mark.long
def test_a_manager_is_followed_through_a_restart_and_answers_on_loopback(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "watch2")
    kit.mirrored(host)
    kit.settings(host)
    kit.gitlab.call("POST", "/sandbox/switches", runner_token_seconds=100 * 86400)
    try:
        kit.new_token()
    finally:
        kit.gitlab.call("POST", "/sandbox/switches", runner_token_seconds=0)
    assert kit.bootstrap().found("token-shared-ends") == []
    kit.settings(host, hosts=GONE)
    (shared,) = kit.plan("watch2").found("token-shared-ends")
    assert "2 hosts share the token" in shared["what"]
    image = {"image": f"{kit.world.runner_image.rpartition(':')[0]}:v18.7.0"}
    kit.settings(host, manager=image, runners={"web": {"hardening": "shared"}})
    assert kit.plan().found("cache-poisonable")

    followed(kit, host, "docker restart -t 60 gitlab-runner")
    kit.settings(host)
    command, env = kit.command("runner.logs", "--host", "all", "--follow")
    with (kit.folder / "log").open("wb") as log:
        following = subprocess.Popen(command, env=env, cwd=kit.folder, stdout=log, stderr=log)
        text = (kit.folder / "log").read_text
        until(lambda: "Configuration loaded" in text())
        kit.ssh(host, "pkill -KILL -f '^sshd: root'", check=False)
        assert following.wait(60) == 1
    assert "error: watch2:" in text(), "one that goes away is told"

    kit.settings(host, manager=METRICS)
    (config, manager) = kit.bootstrap().titles
    assert (config.split()[0], "(metrics on 127.0.0.1:9252)" in manager) == ("write", True)
    assert kit.plan().titles == [], "nothing comes back"
    answer = SCRAPE.format("127.0.0.1")
    until(
        lambda: "gitlab_runner_version_info{" in kit.ssh(host, f'bash -c "{answer}"', check=False)
    )
    outside = f'bash -c "{SCRAPE.format(host.address)}" 2>&1 || echo closed'
    assert kit.ssh(host, outside).endswith("closed\n"), "it listens on loopback alone"

    other = f"docker run -d --entrypoint sleep -p 127.0.0.1:9252:1 {kit.world.runner_image} 99"
    kit.ssh(host, f"docker rm -f gitlab-runner; {other}")
    assert "name another one in [manager] metrics" in kit.bootstrap(code=1).out
    none = kit.run("runner.logs", "--host", "watch2")
    assert (none.code, "inv bootstrap --host watch2 runs it" in none.err) == (1, True), none.err
