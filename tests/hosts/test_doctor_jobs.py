"""What doctor sees from within containers that are made as a job's are, and of a job that failed."""

import json
import re
import subprocess
import tomllib
from typing import Any

import pytest

from runnerkit.checks.jobs import rehearsal
from runnerkit.facts.job_options import _case, heeded
from runnerkit.facts.rehearsal import parse, script
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit, Ran

READY = """mkdir -p /srv/small
mount -t tmpfs -o size=1m none /srv/small
tar -c -T /dev/null | docker import - noshell:1
tar -c -T /dev/null | docker import - gone:1
printf 'FROM debian:bookworm\\nENTRYPOINT ["/bin/true"]\\n' | docker build -qt swallows:1 -"""
SICK: dict[str, tuple[dict[str, Any], set[str]]] = {
    "noshell": ({"image": "noshell:1"}, {"image-no-shell"}),
    "gone": ({"image": "gone:1"}, {"job-image-not-pulled"}),
    "swallows": ({"image": "swallows:1"}, {"image-entrypoint"}),
    "fails": ({"docker": {"network_mode": "nowhere"}}, {"job-container-fails"}),
    "dns": (
        {"docker": {"dns": ["192.0.2.1"]}, "settings": {"clone_url": "http://gitlab.test"}},
        {"job-dns"},
    ),
    "clone": ({"settings": {"clone_url": "http://127.0.0.1:1"}}, {"job-clone-url-unreachable"}),
    "small": (
        {"docker": {"volumes": ["/srv/small:/builds:ro", "/srv/absent:/data"]}},
        {"job-disk-short", "job-builds-read-only", "job-volume-absent"},
    ),
    "known": (
        {"docker": {"extra_hosts": ["gitlab.test:GITLAB"]}, "settings": {"clone_url": "http://gitlab.test:8080"}},
        set(),
    ),
}  # fmt: skip
TRACES = "docker ps -aq --filter name=rehearsal; docker network ls -q --filter name=rehearsal; ls /run | grep runnerkit.rehearsal; ls /srv | grep absent"


def sick(kit: Kit) -> dict[str, Any]:
    """All of them on one host, beside the one that is well and takes the jobs."""
    runners: dict[str, Any] = {"web": {"tags": ["web"]}}
    for name, (spec, _) in SICK.items():
        docker = {**kit.world.own_helper, **spec.get("docker", {})}
        own = {"image": "tester", "tags": [name], "run_untagged": False, **spec, "docker": docker}
        runners[name] = json.loads(json.dumps(own).replace("GITLAB", kit.world.net.gitlab))
    return runners


def found(ran: Ran) -> dict[str, set[str]]:
    """The codes that rehearsals found, by the runner where they did."""
    ours = {kind.code for kind in rehearsal.KINDS}
    codes: dict[str, set[str]] = {name: set() for name in ("web", *SICK)}
    for one in next(iter(ran.hosts.values()))["findings"]:
        if one["code"] in ours:
            for name in re.findall(r"\w+", one["what"]):
                codes.get(name, set()).add(one["code"])
    return codes


@pytest.mark.long
def test_each_runner_is_sick_of_its_own(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "rehearse1")
    kit.mirrored(host)
    kit.ssh(host, f"docker pull -q debian:bookworm; {READY}")
    gitlab = {"api_token": {"env": "GITLAB_TOKEN"}}
    kit.settings(host, gitlab=gitlab, docker={"metadata": "closed"}, runners=sick(kit))
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.bootstrap()
    kit.ssh(host, "docker rmi gone:1")
    number = kit.gitlab.queue(["true"], tags=["web"], image="acme/nothing:1")
    ran = kit.run("doctor", "--host", "all", "--json")
    assert ran.code == 1, ran.err
    assert found(ran) == {"web": set(), **{name: codes for name, (_, codes) in SICK.items()}}
    assert kit.ssh(host, TRACES, check=False) == ""

    # A cloud's metadata address that the rule does not reach, and GitLab behind a wall.
    gitlab_there, mirror = kit.world.net.gitlab, kit.world.net.mirror
    kit.ssh(
        host,
        f"""iptables -I DOCKER-USER -d {gitlab_there} -j REJECT
        iptables -t nat -I PREROUTING -d 169.254.169.254 -p tcp --dport 80 -j DNAT --to {mirror}:5000""",
    )
    walled = found(kit.run("doctor", "--host", "all", "--json"))
    assert walled["web"] == {"job-gitlab-unreachable", "job-metadata-open"}
    kit.ssh(host, f"iptables -D DOCKER-USER -d {gitlab_there} -j REJECT")

    kit.gitlab.wait(number)
    asked = kit.run("doctor", "--host", "all", "--job", str(number))
    assert f"job {number} of sandbox/first: failed" in asked.out
    assert "runner rehearse1-web, host rehearse1" in asked.out
    assert "[log-" in asked.out
    kit.env["GITLAB_TOKEN"] = ""
    alone = kit.run("doctor", "--host", "all", "--job", str(number))
    assert f"job {number}" in alone.out
    assert "[log-" in alone.out
    limit = "toomanyrequests: You have reached your pull rate limit"
    assert "[log-pull-rate-limited]" in kit.run("doctor", "--message", limit).out


HEAVY: dict[str, Any] = {
    "memory": "256m",
    "cpus": "0.5",
    "dns": ["192.0.2.1"],
    "dns_search": ["example.com"],
    "extra_hosts": ["gitlab.test:192.0.2.2"],
    "cap_add": ["SYS_PTRACE"],
    "cap_drop": ["NET_RAW"],
    "security_opt": ["no-new-privileges:true"],
    "shm_size": 1 << 26,
    "tmpfs": {"/scratch": "rw,noexec"},
    "sysctls": {"net.core.somaxconn": "512"},
    "group_add": ["4"],
    "volumes": ["/cache", "/srv/data:/data:ro"],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "heavy": {"docker": HEAVY},
    "host": {"docker": {"network_mode": "host", "ipcmode": "host", "user": "nobody"}},
    "shared": {"hardening": "shared"},
    "devices": {
        "docker": {"devices": ["/dev/null:/dev/zilch:r"], "ulimit": {"nofile": "1024:2048"}}
    },
}
# Of docker inspect, what no two containers have alike, and what only names them.
OWN = (
    "Binds",
    "Mounts",
    "LogConfig",
    "ContainerIDFile",
    "AutoRemove",
    "ConsoleSize",
    "NetworkMode",
)
# What looks at each container that is made as docker run would make it, and runs none.
INSPECTING = """mkdir -p /srv/data /root/inspecting
cat >/root/inspecting/docker <<'END'
#!/bin/sh
[ "$1" = run ] || exec /usr/bin/docker "$@"
shift
for word; do shift; [ "$word" = --rm ] || set -- "$@" "$word"; done
id=$(/usr/bin/docker create "$@") || exit
/usr/bin/docker inspect "$id" >&2
/usr/bin/docker rm -fv "$id" >/dev/null
exit 1
END
chmod 755 /root/inspecting/docker"""


@pytest.mark.long
def test_a_rehearsal_has_the_options_of_a_job(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "rehearse2")
    kit.mirrored(host)
    kit.ssh(host, INSPECTING)
    runners = {
        name: {"image": "tester", "tags": [name], "run_untagged": False, **spec,
               "docker": {**kit.world.own_helper, **spec.get("docker", {})}}
        for name, spec in SETTINGS.items()
    }  # fmt: skip
    kit.settings(
        host, gitlab={"api_token": {"env": "GITLAB_TOKEN"}}, runners={"web": {}, **runners}
    )
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.bootstrap()
    text = kit.ssh(host, f"cat {CONFIG}")
    numbers = tuple(
        int(one) for one in re.findall(r"\d+", kit.world.runner_image.rpartition(":")[2])[:2]
    )
    for name in SETTINGS:
        number = kit.gitlab.queue(["sleep 20"], tags=[name])
        found_job = kit.ssh(host, JOB.format(number), check=False)
        assert found_job, name + kit.gitlab.job(number)["trace"] + str(kit.gitlab.job(number))
        job = json.loads(found_job)[0]
        (entry,) = [
            one for one in tomllib.loads(text)["runners"] if one["name"].endswith(f"-{name}")
        ]
        entry["docker"] = heeded(entry["docker"], numbers)
        case = _case(entry, "tester:latest", ())
        ran = kit.ssh(host, f"PATH=/root/inspecting:$PATH\n{script([case])}")
        (told,) = parse(ran, [case])
        container = json.loads(told.error)[0]
        assert same(container) == same(job), name
        kit.ssh(
            host, "docker ps -q --filter label=com.gitlab.gitlab-runner.managed | xargs docker kill"
        )
        kit.gitlab.wait(number)


JOB = """for _ in $(seq 300); do id=$(docker ps -q --filter label=com.gitlab.gitlab-runner.job.id={} --filter label=com.gitlab.gitlab-runner.type=build) && [ "$id" ] && break; sleep 0.2; done
docker inspect $id"""


def same(container: dict[str, Any]) -> dict[str, Any]:
    """What makes a container what it is."""
    host = {key: value or None for key, value in container["HostConfig"].items() if key not in OWN}
    config = {key: container["Config"][key] or None for key in ("User", "Entrypoint")}
    config["Cmd"] = container["Config"]["Cmd"][:2]  # then the text that looks for a shell
    mounts = sorted((one["Destination"], one["RW"], one["Type"]) for one in container["Mounts"])
    mode = container["HostConfig"]["NetworkMode"]
    network = mode if mode in ("host", "bridge", "default") else "own"
    return {**host, **config, "mounts": mounts, "network": network, "Image": container["Image"]}


@pytest.mark.long
def test_an_image_that_never_ends_is_late_and_leaves_nothing_though_the_kit_is_killed(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "rehearse3")
    kit.mirrored(host)
    kit.ssh(host, "docker pull -q debian:bookworm")
    kit.ssh(
        host,
        """printf 'FROM debian:bookworm\\nENTRYPOINT ["sh", "-c", "sleep 600"]\\n' | docker build -qt hangs:1 -""",
    )
    web = {"image": "hangs:1", "hardening": "shared"}
    kit.settings(host, runners={"web": web})
    kit.new_token()
    kit.bootstrap()
    late = kit.run("doctor", "--host", "all", "--json")
    assert found(late)["web"] == {"job-container-late"}
    assert kit.ssh(host, TRACES, check=False) == ""
    command, env = kit.command("doctor", "--host", "all")
    with subprocess.Popen(command, env=env, cwd=kit.folder, stdin=subprocess.DEVNULL) as running:
        kit.ssh(host, "until docker ps -q --filter name=rehearsal | grep -q .; do sleep 0.1; done")
        running.kill()
    assert kit.ssh(host, TRACES, check=False) != ""
    kit.ssh(host, f'for _ in $(seq 60); do [ "$({TRACES})" ] || exit 0; sleep 1; done; exit 1')
