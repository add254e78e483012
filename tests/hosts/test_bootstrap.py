"""The main job, end to end, and every way in which a host drifts from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, RESTART, Kit

DAEMON = "/etc/docker/daemon.json"


@pytest.mark.parametrize("kind", ["systemd", "plain"])
def test_a_blank_host_runs_a_job_after_one_command(kit: Kit, blank: Blank, kind: str) -> None:
    host = blank(kind)
    kit.settings(host, runners={"web": {"name": f"blank-{kind}"}})
    kit.new_token(tag_list=kind)
    assert kit.plan().code == 2
    done = kit.bootstrap()
    assert done.titles[1].startswith("install Docker")
    assert done.hosts[host.name]["runners"] == [f"blank-{kind}"]

    job = kit.job("echo it runs", image="tester", tags=[kind])
    assert job["state"] == "success", job["trace"]
    assert "it runs" in job["trace"]

    again = kit.bootstrap()
    assert again.titles == []
    assert again.hosts[host.name]["execs"] == 1
    assert kit.plan().code == 0


def test_a_converged_host_costs_one_connection_and_one_exec(kit: Kit, ready: BlankHost) -> None:
    count = "journalctl --sync; journalctl -u ssh -o cat --no-pager | grep -c 'Accepted publickey'"
    before = int(kit.ssh(ready, count))
    assert kit.bootstrap().hosts[ready.name]["execs"] == 1
    assert int(kit.ssh(ready, count)) - before == 2  # the run's, and this very look


DRIFT = {
    "a key of daemon.json": (
        f"sed -i s/10m/99m/ {DAEMON} && {RESTART}", [f"write {DAEMON}", "restart docker"],
    ),
    "a mirror removed": (
        f"sed -i 's#http://[^\\\"]*:5000#http://127.0.0.1:1#' {DAEMON} && {RESTART}",
        [f"write {DAEMON}", "reload docker"],
    ),
    "the manager stopped": ("docker stop -t 20 gitlab-runner", ["start the container gitlab-runner"]),
    "the manager removed": ("docker rm -f gitlab-runner", ["run the container gitlab-runner"]),
    "another image": (
        "printf 'FROM %s\\nLABEL other=yes' $IMAGE | docker build -q -t other:v1 - && docker rm -f gitlab-runner"
        " && docker run -d --name gitlab-runner --restart always"
        " -v /srv/gitlab-runner/config:/etc/gitlab-runner"
        " -v /var/run/docker.sock:/var/run/docker.sock other:v1",
        ["replace the container gitlab-runner (image other:v1 → IMAGE)"],
    ),
    "concurrent": (f"sed -i 's/^concurrent = .*/concurrent = 7/' {CONFIG}", [f"write {CONFIG}"]),
    "pull_policy": (f"sed -i /pull_policy/d {CONFIG}", [f"write {CONFIG}"]),
    "the runner's entry": (f"sed -i '/^\\[\\[runners/,$d' {CONFIG}", ["register runner ready"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def ready(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A host that is set up once; each test leaves it as it found it."""
    host = world.host("ready", "docker")
    token = Kit(world, Path()).gitlab.new_runner("ready", tag_list="ready")
    RUNNER["token"] = token
    ready_settings(Kit(world, tmp_path_factory.mktemp("ready")), host).bootstrap()
    yield host
    world.remove("ready")
    Kit(world, Path()).gitlab.forget_runners("ready")


RUNNER: dict[str, str] = {}


def ready_settings(kit: Kit, host: BlankHost) -> Kit:
    options = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    kit.settings(host, docker={"daemon": options}, runners={"web": {"name": "ready"}})
    kit.env["RUNNER_TOKEN"] = RUNNER["token"]
    return kit


@pytest.fixture(autouse=True)
def _settled(request: pytest.FixtureRequest) -> None:
    if "ready" in request.fixturenames and "kit" in request.fixturenames:
        ready_settings(request.getfixturevalue("kit"), request.getfixturevalue("ready"))


LONG = {"another image", "the manager stopped", "a mirror removed", "pull_policy"}


@pytest.mark.parametrize(
    "what", [pytest.param(one, marks=[pytest.mark.long] * (one in LONG)) for one in DRIFT]
)
def test_drift_is_named_exactly_and_mended_exactly(kit: Kit, ready: BlankHost, what: str) -> None:
    script, titles = DRIFT[what]
    assert kit.plan().titles == []
    kit.ssh(ready, f"IMAGE={kit.world.runner_image}\n{script}")
    expected = [title.replace("IMAGE", kit.world.runner_image) for title in titles]
    pending = kit.plan()
    assert (pending.titles, pending.code) == (expected, 2)
    assert kit.bootstrap().titles == expected
    assert kit.plan().titles == []
    (runner,) = kit.gitlab.runners("ready")
    assert len(runner["managers"]) == 1
    if any("the container" in title for title in titles):
        kit.settled()
        assert kit.job("true", image="tester", tags=["ready"])["state"] == "success"


@pytest.mark.long
def test_a_host_set_up_by_hand_is_adopted(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "byhand")
    image, url = kit.world.runner_image, kit.world.gitlab_url
    token = kit.new_token("typed by hand")
    kit.mirrored(host)
    kit.ssh(host, f"""set -e
        docker pull -q {image}
        docker pull -q debian:bookworm
        docker run -d --name gitlab-runner --restart always \
            --add-host git.lan:10.0.0.5 -e OWN=kept -v /opt:/opt:ro \
            -v /srv/gitlab-runner/config:/etc/gitlab-runner \
            -v /var/run/docker.sock:/var/run/docker.sock {image}
        docker exec gitlab-runner gitlab-runner register --non-interactive --url {url}/ \
            --token {token} --name byhand --executor docker --docker-image debian:bookworm
        sed -i 's/^concurrent = .*/concurrent = 2/; s/^    image = .*/&\\n    pull_policy = "if-not-present"/' {CONFIG}
        """)  # fmt: skip
    container = "docker inspect -f '{{.Id}} {{.State.StartedAt}}' gitlab-runner"
    before = kit.ssh(host, container)
    kit.settings(host, runners={"web": {"image": "debian:bookworm"}})
    plan = [title for title in kit.plan().titles if "helper image" not in title]
    assert plan == ([f"write {CONFIG}"] if kit.data["runners"]["web"].get("docker") else [])
    kit.bootstrap()
    assert kit.ssh(host, container) == before
    assert kit.ssh(host, f"grep -c '^\\[\\[runners' {CONFIG}").strip() == "1"
    (runner,) = kit.gitlab.runners("typed by hand")
    assert len(runner["managers"]) == 1

    kit.ssh(host, "docker update --restart no gitlab-runner")
    (replaced,) = kit.bootstrap().titles
    assert replaced.startswith("replace the container gitlab-runner (restart policy no")
    own = "docker exec gitlab-runner sh -c 'grep git.lan /etc/hosts; echo $OWN; touch /opt/x 2>&1'"
    output = kit.ssh(
        host, f"{own}; docker inspect -f '{{{{.Config.Env}}}}' gitlab-runner", check=False
    )
    assert all(word in output for word in ("10.0.0.5", "kept\n", "Read-only file system"))
    assert output.splitlines()[-1].count("PATH=") == 1
    assert kit.plan().titles == []


def test_what_is_not_ours_survives(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "foreign")
    kit.ssh(host, f"""set -e
        echo '{{"debug": true, "labels": ["mine=1"]}}' > {DAEMON}
        {RESTART}
        mkdir -p -m 700 {CONFIG.rsplit("/", 1)[0]}
        cat > {CONFIG} <<'END'
check_interval = 7
[[runners]]
  name = "stranger"
  url = "http://127.0.0.1:9"
  token = "stranger0000000000"
  executor = "shell"
END
        chmod 600 {CONFIG}""")  # fmt: skip
    kit.settings(host, runners={"web": {"name": "foreign"}})
    kit.new_token("foreign", tag_list="foreign")
    kit.bootstrap()
    daemon, config = kit.ssh(host, f"cat {DAEMON}"), kit.ssh(host, f"cat {CONFIG}")
    for kept in ('"debug": true', '"mine=1"'):
        assert kept in daemon
    for kept in ("check_interval = 7", 'name = "stranger"', 'token = "stranger0000000000"'):
        assert kept in config
    assert kit.ssh(host, f"stat -c %a {CONFIG}").strip() == "600"
    assert kit.job("true", image="tester", tags=["foreign"])["state"] == "success"


def test_one_host_of_three_is_unreachable_and_the_others_are_done(kit: Kit, blank: Blank) -> None:
    hosts = [blank("docker", name) for name in ("three1", "three2")]
    lost = BlankHost("three3", kit.world.net.address(250), "docker", hosts[0].key)
    kit.settings(*hosts, lost)
    kit.new_token("three")
    ran = kit.run("bootstrap", "--host", "all")
    assert ran.code == 1
    rows = {line.split()[0]: line.split()[1] for line in ran.out.splitlines() if line.strip()}
    assert (rows["three1"], rows["three2"], rows["three3"]) == ("changed", "changed", "failed")
    assert "error: three3: root@" in ran.err
    assert "fix: check" in ran.err
    (runner,) = kit.gitlab.runners("three")
    assert len(runner["managers"]) == 2
