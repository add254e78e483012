"""Findings of a host that is set up: each is provoked there, and told as itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, RESTART, Kit
from tests.hosts.refusals import changed
from tests.hosts.sick import DAEMON, KEPT, PUT_BACK, certificate, server
from tests.hosts.test_doctor import codes, look
from tests.hosts.test_doctor_servers import registry

pytestmark = pytest.mark.long
API = {"api_token": {"env": "GITLAB_TOKEN"}}
OWN = "/usr/local/bin/docker"
# What no machine here has: a kernel that confines by AppArmor, and an engine of before 19.03.
SAYS = f"""cat >{OWN} <<'END'
#!/bin/sh
case $1 in
{{}}) /usr/bin/docker "$@" | sed '{{}}' ;;
*) exec /usr/bin/docker "$@" ;;
esac
END
chmod 755 {OWN}"""
SAYS_APPARMOR = SAYS.format("info", r's/"SecurityOptions":\[/&"name=apparmor",/')
SAYS_OLD = SAYS.format("version", r's/"ApiVersion":"[^"]*"/"ApiVersion":"1.39"/g')
PROXY = "/etc/systemd/system/docker.service.d/proxy.conf"
PROXIED = f"""mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\nEnvironment=HTTPS_PROXY=http://somebody:sentinel@proxy.example.com:3128\n' >{PROXY}
systemctl daemon-reload; {RESTART}"""
LOG = "$(docker inspect -f '{{.LogPath}}' gitlab-runner)"
RESTARTS = "docker inspect -f '{{.RestartCount}}' gitlab-runner"
UP = "until docker exec gitlab-runner true 2>/dev/null; do sleep 0.2; done"

STOP = "docker stop -t 60 gitlab-runner"
BINDS = (
    "-v /srv/gitlab-runner/config:/etc/gitlab-runner -v /var/run/docker.sock:/var/run/docker.sock"
)

# By the codes that it must be found as: what is done to the host, and undone.
SICK: dict[str, tuple[str, str]] = {
    "concurrent-below-runners": (
        f"{KEPT}; sed -i 's/^concurrent = .*/concurrent = 1/' {CONFIG}", PUT_BACK,
    ),
    "privileged-untagged": (
        f"{KEPT}; sed -i 's/privileged = false/privileged = true/' {CONFIG}", PUT_BACK,
    ),
    "image-never-pulled": ("docker rmi registry:2 >/dev/null", "docker pull -q registry:2"),
    "manager-log-large": (f"truncate -s +600M {LOG}", f"truncate -s 0 {LOG}"),
    "manager-stops-slowly": (
        f"""{STOP}; docker rename gitlab-runner kept; docker create --name gitlab-runner --restart always \\
        --stop-timeout 3600 {BINDS} $(docker inspect -f '{{{{.Config.Image}}}}' kept); docker start gitlab-runner; {UP}""",
        f"{STOP}; docker rm -v gitlab-runner; docker rename kept gitlab-runner; docker start gitlab-runner; {UP}",
    ),
    "proxy-not-of-manager": (PROXIED, f"rm {PROXY}; systemctl daemon-reload; {RESTART}; {UP}"),
    "apparmor-parser": (
        f"{SAYS_APPARMOR}; mv /usr/sbin/apparmor_parser /root/", f"rm {OWN}; mv /root/apparmor_parser /usr/sbin/",
    ),
    "engine-too-old": (SAYS_OLD, f"rm {OWN}"),
    "concurrent-none manager-restarting": (
        f"""{KEPT}; sed -i 's/^concurrent = .*/concurrent = 0/' {CONFIG}; docker restart gitlab-runner >/dev/null
        until [ $({RESTARTS}) -gt 2 ]; do sleep 0.2; done""",
        f"{PUT_BACK}; docker restart gitlab-runner; {UP}",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def host(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A host with two runners, which the API made."""
    found, kit = world.host("found1", "docker"), Kit(world, tmp_path_factory.mktemp("found"))
    kit.mirrored(found)
    settings(kit, found)
    kit.bootstrap()
    yield found
    world.remove("found1")
    for name in ("found-web", "found-second"):
        kit.gitlab.forget_runners(name)


@pytest.fixture
def at_work(kit: Kit, host: BlankHost) -> Kit:
    """Settings that are fulfilled there already."""
    settings(kit, host)
    return kit


def settings(kit: Kit, host: BlankHost, **docker: Any) -> None:
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    second = {
        "image": "registry:2", "name": "found-second", "pull_policy": ["never"],
        "tags": ["second"], "run_untagged": False, "docker": kit.world.own_helper,
    }  # fmt: skip
    runners = {"web": {"name": "found-web"}, "second": second}
    options = {"daemon": {"labels": ["kit=1"]}, **docker}
    kit.settings(host, gitlab=API, runners=runners, docker=options)


def found(kit: Kit) -> str:
    ran = look(kit)
    assert "sentinel" not in ran.out + ran.err
    assert [one["error"] for one in ran.hosts.values()] == [None]
    return " ".join(sorted(codes(ran)))


@pytest.mark.parametrize("code", SICK)
def test_a_sick_host_is_found_sick_of_that(at_work: Kit, host: BlankHost, code: str) -> None:
    with changed(at_work, host, *SICK[code]):
        assert found(at_work) == code


def test_what_gitlab_says_of_runners(at_work: Kit, host: BlankHost) -> None:
    (runner,) = at_work.gitlab.runners("found-web")
    path = f"/api/v4/runners/{runner['id']}"
    at_work.gitlab.call("PUT", path, paused=True)
    assert found(at_work) == "runner-paused"
    at_work.gitlab.call("PUT", path, paused=False)
    with changed(at_work, host, STOP, f"docker start gitlab-runner; {UP}"):
        at_work.gitlab.call("POST", "/sandbox/switches", ahead_seconds=3 * 3600)
        try:
            assert found(at_work) == "manager-stopped runner-offline runner-offline"
        finally:
            at_work.gitlab.call("POST", "/sandbox/switches", ahead_seconds=0)


def test_a_registry_with_a_certificate_of_another_ca(
    at_work: Kit, host: BlankHost, tmp_path: Path
) -> None:
    here = at_work.world.net.address(1)
    files = certificate(tmp_path, here)
    with server(here, registry(), files) as url:
        settings(at_work, host, registry_mirrors=[at_work.world.mirror_url, url])
        assert found(at_work) == "registry-certificate"
        folder = f"/etc/docker/certs.d/{url.removeprefix('https://')}"
        put = f"mkdir -p {folder}; cat >{folder}/ca.crt <<'END'\n{Path(files[0]).read_text()}END"
        with changed(at_work, host, put, f"rm -r {folder}"):
            assert {*found(at_work).split()} == {"registry-stale"}, "its images are other ones"


def test_a_manager_that_all_can_ask(at_work: Kit, host: BlankHost) -> None:
    """As somebody publishes its metrics by hand; and one that is to ask GitLab by a proxy."""
    image = at_work.world.runner_image
    run = """docker rm -f gitlab-runner >/dev/null; docker run -d --name gitlab-runner --restart always \
        -v /srv/gitlab-runner/config:/etc/gitlab-runner -v /var/run/docker.sock:/var/run/docker.sock"""
    own = f"{run} {image}; {UP}"
    listens = (
        f"{KEPT}; sed -i '1i listen_address = \":9252\"' {CONFIG}; {run} -p 9252:9252 {image}; {UP}"
    )
    with changed(at_work, host, listens, f"{PUT_BACK}; {own}"):
        assert found(at_work) == "manager-listens"
    proxy = f"{run} -e HTTP_PROXY=http://127.0.0.1:1 {image}; {UP}"
    with changed(at_work, host, proxy, own):
        assert "proxy-for-gitlab" in found(at_work).split(), "the real one then cannot ask"


def test_a_manager_that_cannot_reach_gitlab_where_the_host_can(
    at_work: Kit, host: BlankHost
) -> None:
    wall = f"-d {at_work.world.net.gitlab} -j REJECT"
    with changed(
        at_work, host, f"iptables -I DOCKER-USER {wall}", f"iptables -D DOCKER-USER {wall}"
    ):
        assert found(at_work) == "runner-unverified runner-unverified"


def test_a_key_that_left_the_settings_and_somebody_changed(at_work: Kit, host: BlankHost) -> None:
    settings(at_work, host, daemon={})
    other = f"cp -p {DAEMON} /root/; sed -i 's/kit=1/theirs=1/' {DAEMON}"
    with changed(at_work, host, other, f"mv /root/daemon.json {DAEMON}"):
        assert found(at_work) == "key-stays"


def test_a_token_of_another_kind(at_work: Kit, host: BlankHost) -> None:
    line = 's/token = "glrt-.*"/token = "glpat-sentinel000000000000"/'
    with changed(at_work, host, f"{KEPT}; sed -i '{line}' {CONFIG}", PUT_BACK):
        assert "token-of-other-kind" in found(at_work).split()


def test_docker_as_a_snap_has_its_images(at_work: Kit, host: BlankHost) -> None:
    """No snap can be had here: a real dockerd that keeps all where a snap's does."""
    root = "/var/snap/docker/common/var-lib-docker"
    snap = f"""mkdir -p /snap/bin {root}; ln -s /usr/bin/docker /snap/bin/docker; cp -p {DAEMON} /root/
        sed -i '1s|{{|{{"data-root": "{root}", |' {DAEMON}; {RESTART}"""
    back = f"rm -r /snap; mv /root/daemon.json {DAEMON}; {RESTART}; rm -r /var/snap; {UP}"
    with changed(at_work, host, snap, back):
        assert "engine-snap" in found(at_work).split()
