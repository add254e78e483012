"""Findings that need a host of their own: one that is none yet, old and new engines, ends of tokens."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runnerkit.checks.jobs import rehearsal
from runnerkit.place import ROOT
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.engines import engine
from tests.hosts.engines import host as of_kind
from tests.hosts.kit import CONFIG, Kit, until
from tests.hosts.refusals import changed
from tests.hosts.sick import DATE, as_json, certificate, server
from tests.hosts.test_doctor import codes, look

pytestmark = pytest.mark.long
DAY = 86400
I686 = "/etc/ssh/sshd_config.d/i686.conf"
RELEASES = ROOT / "tests/unit/os_release"
INSTALL = "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends {} >/dev/null"
LATER = f"""cat >{DATE} <<'END'
#!/bin/sh
[ "$*" = +%s ] && echo $(($(/bin/date +%s) + {5 * DAY})) || exec /bin/date "$@"
END
chmod 755 {DATE}"""
# The host's own address of its cloud, which a server on it answers; and an image that has curl.
CLOUD = """ip addr add 169.254.169.254/32 dev lo
docker run -d --name cloud --network host -e REGISTRY_HTTP_ADDR=169.254.169.254:80 registry:2 >/dev/null
mkdir /root/curl; cp --parents /usr/bin/curl $(ldd /usr/bin/curl | grep -o '/[^ ]*') /root/curl
printf 'FROM debian:bookworm\\nCOPY . /\\n' >/root/Dockerfile
docker build -q -t curly:1 -f /root/Dockerfile /root/curl >/dev/null"""


def pre(kit: Kit) -> list[str]:
    return codes(kit.run("doctor", "--host", "all", "--pre", "--json"))


def release(name: str) -> tuple[str, str]:
    """A host that says that it is of another distribution, and its own again."""
    text = (RELEASES / name).read_text()
    back = "ln -sf ../usr/lib/os-release /etc/os-release"
    return f"rm /etc/os-release; cat >/etc/os-release <<'END'\n{text}\nEND", back


def test_a_host_that_has_no_docker(kit: Kit, blank: Blank) -> None:
    host = blank("systemd", "apart1")
    kit.settings(host)
    kit.env["RUNNER_TOKEN"] = "glrt-" + "t" * 20
    assert pre(kit) == []
    assert codes(look(kit)) == ["engine-absent"]
    with changed(kit, host, *release("kylin-v10")):
        assert pre(kit) == ["distribution-unsupported"]
    with changed(kit, host, *release("rocky-9")):
        assert pre(kit) == ["docker-source-unfit"]
    forced = f"""echo 'ForceCommand setarch i686 sh -c "$SSH_ORIGINAL_COMMAND"' >{I686}; systemctl reload ssh"""
    with changed(kit, host, forced, f"rm {I686}; systemctl reload ssh"):
        until(lambda: kit.ssh(host, "uname -m", check=False) == "i686\n")
        assert pre(kit) == ["architecture-unsupported"]
    until(lambda: kit.ssh(host, "uname -m", check=False) == "x86_64\n")
    kit.ssh(host, INSTALL.format("podman podman-docker"))
    assert pre(kit) == codes(look(kit)) == ["engine-podman"]
    refused = kit.run("bootstrap", "--host", "all")
    assert (refused.code, "is Podman" in refused.err) == (1, True), refused.err


def test_an_engine_that_the_manager_does_not_understand(world: World, kit: Kit) -> None:
    """Docker's own narrowing of the versions that it speaks; none that speaks 1.39 at most is to be had."""
    host = of_kind(world, "apart2", "trixie")
    try:
        kit.ssh(host, "echo export DOCKER_MIN_API_VERSION=1.44 >>/etc/default/docker")
        engine(kit, host)
        old = f"{world.runner_image.rpartition(':')[0]}:v15.11.1"
        kit.settings(host, manager={"image": old})
        kit.env["RUNNER_TOKEN"] = "glrt-" + "t" * 20
        assert "engine-too-new" in codes(look(kit))
        refused = kit.run("bootstrap", "--host", "all")
        assert (refused.code, "of v17.5 or newer" in refused.err) == (1, True), refused.err
    finally:
        world.remove("apart2")


def switched(kit: Kit, work: Callable[[], Any], **switches: Any) -> None:
    """Do something while GitLab behaves otherwise."""
    kit.gitlab.call("POST", "/sandbox/switches", **switches)
    try:
        work()
    finally:
        kit.gitlab.call("POST", "/sandbox/switches", **dict.fromkeys(switches, 0))


def test_tokens_that_end_and_tokens_of_old(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "apart3")
    kit.mirrored(host)
    kit.settings(host)
    switched(kit, kit.new_token, runner_token_seconds=4 * DAY)
    kit.bootstrap()
    assert codes(look(kit)) == ["token-ends"]
    with changed(kit, host, LATER, f"rm {DATE}"):
        assert sorted(codes(look(kit))) == ["clock-off", "token-ended"]

    kit.ssh(host, f"sed -i '/^\\[\\[runners/,$d' {CONFIG}")
    kit.settings(host, runners={"web": {"registration_token": {"env": "REGISTRATION_TOKEN"}}})
    kit.env |= {"RUNNER_TOKEN": "", "REGISTRATION_TOKEN": kit.world.registration_token}
    kit.bootstrap()
    assert codes(look(kit)) == ["token-of-old-kind"]


def test_what_jobs_of_strangers_reach(kit: Kit, blank: Blank, tmp_path: Path) -> None:
    host = blank("docker", "apart4")
    kit.mirrored(host)
    kit.ssh(host, INSTALL.format("curl iproute2"))
    kit.ssh(host, f"docker pull -q debian:bookworm; docker pull -q registry:2; set -e; {CLOUD}")
    web = {"image": "curly:1", "hardening": "shared"}
    kit.settings(host, docker={"metadata": "open"}, runners={"web": web})
    kit.new_token()
    kit.bootstrap()
    assert seen(kit) == ["job-metadata-reachable"]
    secure(kit, host, tmp_path)


def seen(kit: Kit) -> list[str]:
    """What jobs' containers told: of an old manager, and an image built by hand, there is more."""
    ours = {kind.code for kind in rehearsal.KINDS}
    ran = kit.run("doctor", "--host", "all", "--json")
    return [code for code in codes(ran) if code in ours or code.startswith("gitlab-")]


def secure(kit: Kit, host: BlankHost, folder: Path) -> None:
    """GitLab by TLS, with a CA that the manager was given and the image was not."""
    here = kit.world.net.address(1)
    files = certificate(folder, here)
    with server(here, lambda _: as_json(401, {"message": "401 Unauthorized"}), files) as url:
        certs = "/srv/gitlab-runner/config/certs"
        kit.ssh(host, f"""mkdir -p {certs}; cat >{certs}/{here}.crt <<'END'
{Path(files[0]).read_text()}END
            sed -i 's|{re.escape(kit.world.gitlab_url)}|{url}|' {CONFIG}""")  # fmt: skip
        kit.settings(
            host,
            gitlab={"url": url},
            docker={"metadata": "open"},
            runners={"web": {"image": "curly:1"}},
        )
        assert seen(kit) == ["job-certificate"]
