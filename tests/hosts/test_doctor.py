"""Why a host does not work: nothing on a healthy one, and on a sick one just that."""

from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit
from tests.hosts.refusals import changed

SICK = {
    "config-open": (f"chmod 644 {CONFIG}", f"chmod 600 {CONFIG}"),
    "config-broken": (f"cp -p {CONFIG} /root/; echo 'x = [' >>{CONFIG}", f"mv /root/config.toml {CONFIG}"),
    "manager-stopped": ("docker stop -t 60 gitlab-runner", "docker start gitlab-runner"),
}  # fmt: skip


def test_a_healthy_host_has_no_finding_and_a_sick_one_just_that(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "doctor1")
    kit.mirrored(host)
    kit.settings(host, gitlab={"api_token": {"env": "GITLAB_TOKEN"}})
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.bootstrap()
    well = kit.run("doctor", "--host", "all")
    assert well.code == 0, well.out + well.err
    assert "×" not in well.out
    for code, (do, undo) in SICK.items():
        with changed(kit, host, do, undo):
            sick = kit.run("doctor", "--host", "all", "--json")
        found = sick.hosts[host.name]["findings"]
        assert ([one["code"] for one in found], sick.code) == ([code], 1), sick.out
