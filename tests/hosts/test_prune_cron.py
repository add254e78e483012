"""Room is made by cron where there is no systemd."""

import pytest

from runnerkit.actions import prune
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.hosts.test_prune import PROGRAM, SHELL, images, names


@pytest.mark.long
def test_a_host_without_systemd_does_it_by_cron(kit: Kit, blank: Blank) -> None:
    host = blank("plain")
    kit.settings(host, prune={"schedule": "daily", "high": 1, "low": 0})
    kit.new_token("cron")
    refused = kit.bootstrap(code=1)
    assert "no cron runs there" in refused.out
    assert kit.ssh(host, "command -v docker; :") == ""

    kit.ssh(
        host,
        "apt-get update -qq; apt-get install -qq -y --no-install-recommends cron >/dev/null 2>&1; service cron start",
    )
    daily = "/etc/cron.daily/runnerkit-prune"
    assert kit.bootstrap().titles[-2:] == [f"write {PROGRAM}", f"write {daily}"]
    assert kit.plan().titles == []
    assert daily in kit.ssh(host, "run-parts --test /etc/cron.daily")
    kit.ssh(host, f"""{SHELL}
        build old:v1 1; build new:v1 1; age_image 9 old:v1
        service docker restart; until docker info >/dev/null; do sleep 0.1; done
        {daily} >/tmp/output""")  # fmt: skip
    output = names(prune.parse(kit.ssh(host, "cat /tmp/output")))
    assert [name for name in output if not name.startswith("unused-for")] == ["old:v1"]
    assert {"new:v1", "tester:latest"} <= images(kit, host)
    kit.settings(host)
    assert kit.bootstrap().titles == [f"remove {PROGRAM}, {daily}"]
    assert kit.ssh(host, f"ls {PROGRAM} {daily} 2>/dev/null; :") == ""
