"""A real Prometheus reads a manager, and knows every name that rules and dashboard ask for."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, until
from tests.hosts.test_rules import prometheus
from tests.pages import commands

__all__ = ["prometheus"]
HERE = "tests/hosts/test_real_metrics.py::test_a_prometheus_reads_what_the_real_manager_tells"
NAME = re.compile(r"\bgitlab_runner_\w+")
LATER = {"gitlab_runner_job_queue_duration_seconds_bucket"}  # 15.11 has it not, 17.5 has
REAL = os.environ.get("RUNNERKIT_RUNNER_IMAGE", "")


@pytest.mark.long
@pytest.mark.skipif("v1" not in REAL, reason="the stand-in tells a few of them only")
def test_a_prometheus_reads_what_the_real_manager_tells(
    kit: Kit, blank: Blank, prometheus: Path
) -> None:
    host = blank("docker", "metrics1")
    kit.mirrored(host)
    address = f"{host.address}:9252"
    kit.settings(host, manager={"metrics": address})
    kit.new_token()
    kit.bootstrap()
    kit.job("exit 3")
    kit.job("true")
    (line,) = commands(HERE)
    assert kit.run(*line.split()[1:]).code == 0

    folder = kit.folder / "prometheus"
    files = "gitlab-runner.rules.yml", "gitlab-runner.dashboard.json"
    wanted = {name for file in files for name in NAME.findall((folder / file).read_text())}
    told = {*NAME.findall(requests.get(f"http://{address}/metrics", timeout=10).text)}
    assert wanted - told <= (LATER if "v15" in REAL else set()), sorted(told)

    words = ["--config.file=prometheus.yml", "--web.listen-address=127.0.0.1:19090"]
    command = [str(prometheus / "prometheus"), *words, "--storage.tsdb.path=data"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as real:
        try:

            def ask(query: str) -> list[dict[str, Any]]:
                try:
                    url = "http://127.0.0.1:19090/api/v1/query"
                    answer = requests.get(url, {"query": query}, timeout=10)
                except requests.ConnectionError:
                    return []
                if answer.status_code == 503:  # it reads what it has, and answers later
                    return []
                assert answer.ok, answer.text
                return answer.json()["data"]["result"]  # type: ignore[no-any-return]

            until(lambda: [one["value"][1] for one in ask("up")] == ["1"], 90)
            until(lambda: ask("count(gitlab_runner_version_info)"), 90)
            (saturation,) = ask(
                "sum by (host) (gitlab_runner_jobs) / max by (host) (gitlab_runner_concurrent)"
            )
            assert (saturation["metric"], saturation["value"][1]) == ({"host": "metrics1"}, "0")
            panels = json.loads((folder / files[1]).read_text())["panels"]
            queries = [target["expr"] for panel in panels for target in panel["targets"]]
            empty = [one for one in queries if not ask(one.replace("$host", ".*"))]
            assert all("node_" in one or "increase" in one or "rate" in one for one in empty), empty
            rules = requests.get("http://127.0.0.1:19090/api/v1/rules", timeout=10).json()
            known = [rule["health"] for group in rules["data"]["groups"] for rule in group["rules"]]
            assert len(known) == 10
            assert "err" not in known
        finally:
            real.terminate()
