"""Room is made on a nearly full host, and no job, project or manager misses anything after it."""

import io
from collections.abc import Iterator

import docker
import pytest

from runnerkit import resolve
from runnerkit.actions import prune
from runnerkit.actions.prune import Pruned
from runnerkit.place import LOCK
from runnerkit.settings.load import load
from sandbox.names import IMAGES as IMAGES_OF
from sandbox.services import mirror
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit

UNIT = "/etc/systemd/system/runnerkit-prune"
PROGRAM = "/usr/local/lib/runnerkit/prune"
OLD_CACHE = "runner-old-cache-0123456789abcdef0123456789abcdef"
DISK = "df -Pk /var/lib/docker | awk 'NR == 2 {print $3 * 1024}'"
LAYER = "docker image inspect -f '{{.Id}}'"
# What cannot be waited for: Docker's own notes of when an image came are set back, and what it
# remembers of the last hour goes with a restart. A volume's folder has its times like any other.
SHELL = r"""set -eu
cd "$(mktemp -d /tmp/prune.XXXXXX)"
build() { # NAME:TAG MB [LABEL]
  head -c "${2}M" /dev/urandom >blob
  printf 'FROM %s\nCOPY blob /blob\n' "${BASE:-debian:bookworm}" >Dockerfile
  DOCKER_BUILDKIT=0 docker build -q -t "$1" ${3:+--label "runnerkit.image=$3"} . >/dev/null
}
age_image() { # DAYS IMAGE…
  days=$1; shift
  for name; do
    id=$(docker image inspect -f '{{.Id}}' "$name") at=/var/lib/docker/image/overlay2/imagedb
    touch -d "-$days days" "$at/content/sha256/${id#*:}"
    note=$at/metadata/sha256/${id#*:}/lastUpdated
    [ ! -e "$note" ] || printf %s "$(date -u -d "-$days days" +%Y-%m-%dT%H:%M:%SZ)" >"$note"
  done
}
volume() { # NAME MB DAYS [PATH]
  docker volume create --label com.gitlab.gitlab-runner.type=cache "$1" >/dev/null
  at=/var/lib/docker/volumes/$1/_data/${4:-}
  mkdir -p "$at"
  head -c "${2}M" /dev/zero >"$at/cache.zip"
  find "/var/lib/docker/volumes/$1" -exec touch -d "-$3 days" {} +
}
forget() {
  systemctl reset-failed docker
  systemctl restart docker
  until [ "$(docker inspect -f '{{.State.Running}}' gitlab-runner)" = true ]; do sleep 0.1; done
}
fill() { # PERCENT
  df -Pk /var/lib/docker | awk -v p="$1" 'NR == 2 {printf "%.0fK", $2 * p / 100 - $3}' |
    xargs -I SIZE fallocate -l SIZE /var/lib/docker/filler
}
"""
BUILDS = [f"{number:012x}" for number in range(1, 6)]
IMAGES = "docker image ls --format '{{.Repository}}:{{.Tag}}'"


@pytest.fixture(scope="module")
def host(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A runner host with a disk of 1000 MB for Docker."""
    result = world.host("prune", "docker", disk_mb=1000)
    kit = Kit(world, tmp_path_factory.mktemp("prune"))
    RUNNER["token"] = kit.gitlab.new_runner("prune", tag_list="prune")
    configured(kit, result).bootstrap()
    yield result
    world.remove("prune")
    kit.gitlab.forget_runners("prune")


RUNNER: dict[str, str] = {}


def configured(kit: Kit, host: BlankHost, **options: object) -> Kit:
    kit.settings(
        host,
        docker={"min_free_mb": 0},
        runners={"web": {"name": "prune", "image": "debian:bookworm"}},
        images={"web": {"base": "debian:bookworm"}},
        prune={"keep": 2, "high": 80, "low": 68, **options},
    )
    kit.env["RUNNER_TOKEN"] = RUNNER["token"]
    return kit


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test finds the host with nothing but what it was set up with."""
    ours = "host" in request.fixturenames
    host = request.getfixturevalue("host") if ours else None
    kit = request.getfixturevalue("kit")
    yield
    if host:
        kit.ssh(host, f"""rm -rf /var/lib/docker/filler /tmp/prune.* /usr/local/bin/docker
            docker ps -aq --filter name=extra | xargs -r docker rm -f
            docker volume prune -f
            docker volume ls -q | xargs -r docker volume rm
            {IMAGES} | grep -vE 'gitlab-runner|debian:bookworm|<none>' | xargs -r docker image rm
            docker image prune -f""", check=False)  # fmt: skip


def run(
    kit: Kit, host: BlankHost, force: bool = False, dry: bool = False, **options: object
) -> Pruned:
    read = load(configured(kit, host, **options).folder / "runnerkit.toml")
    return prune.parse(kit.ssh(host, prune.script(resolve.of_images(read, ""), force, dry)))


def names(pruned: Pruned) -> list[str]:
    return [item.name.split(" ")[0] for item in pruned.removed]


def images(kit: Kit, host: BlankHost) -> set[str]:
    """By their names; a dangling one has none."""
    return set(kit.ssh(host, IMAGES).split()) - {"<none>:<none>"}


def builds(*numbers: int) -> set[str]:
    return {f"web:{BUILDS[number - 1]}" for number in numbers}


def five_builds(megabytes: int) -> str:
    """Builds 1 to 5 of `web`, the last of them the current one, and their ages."""
    lines = [f"build web:{tag} {megabytes} web; age_image {20 - n} web:{tag}\n"
             for n, tag in enumerate(BUILDS)]  # fmt: skip
    return "".join(lines) + f"docker tag web:{BUILDS[-1]} web:latest\nage_image 15 web:latest\n"


def test_a_full_disk_with_a_job_running(kit: Kit, host: BlankHost) -> None:
    """The job runs in the oldest build. It, and what is needed, stays; oldest first, until low."""
    volumes = f"volume {OLD_CACHE} 60 20\nvolume runner-young-cache-{'1' * 32} 5 2\n"
    kit.ssh(host, f"""{SHELL}{five_builds(30)}{volumes}
        build moved:v1 40; age_image 9 moved:v1; build moved:v1 1
        build other:v1 100; age_image 12 other:v1
        build other:v2 100; age_image 11 other:v2
        forget; fill 90""")  # fmt: skip
    before = images(kit, host)
    number = kit.gitlab.queue(
        ["until [ -e /end ]; do sleep 0.1; done", "echo ends well"],
        image=f"web:{BUILDS[0]}",
        tags=["prune"],
    )
    inside = "docker ps -q --filter label=com.gitlab.gitlab-runner.type=build"
    while not kit.ssh(host, inside):
        job = kit.gitlab.job(number)
        assert job["state"] in ("pending", "running"), job["trace"]

    dry = run(kit, host, dry=True)
    assert (dry.removed, dry.pending[-1].name.split(" ")[0]) == ((), "other:v2")
    used = int(kit.ssh(host, DISK))
    pruned = run(kit, host)
    freed = used - int(kit.ssh(host, DISK))

    assert names(pruned) == [OLD_CACHE, "<none>", f"web:{BUILDS[1]}", "other:v1"]
    assert (pruned.before >= 90, pruned.after <= 68) == (True, True)
    assert pruned.freed == pytest.approx(freed, rel=0.02)
    assert sum(item.bytes for item in pruned.removed) == pytest.approx(freed, rel=0.02)
    assert freed == pytest.approx(230 << 20, rel=0.05)
    assert before - images(kit, host) == {f"web:{BUILDS[1]}", "other:v1"}

    kit.ssh(host, f"docker exec $({inside}) touch /end")
    job = kit.gitlab.wait(number)
    assert job["state"] == "success", job["trace"]
    assert kit.job("true", image="web", tags=["prune"])["state"] == "success"
    assert kit.bootstrap().titles == []


def test_below_high_nothing_goes_unless_it_is_forced(kit: Kit, host: BlankHost) -> None:
    kit.ssh(host, f"{SHELL}{five_builds(1)}build other:v1 1; age_image 5 other:v1\nforget")
    before = images(kit, host)
    idle = run(kit, host)
    assert (idle.removed, idle.freed) == ((), 0)
    assert idle.notes == (f"nothing to do: the disk is at {idle.before}%, room is made from 80%",)

    going = [f"web:{BUILDS[0]}", f"web:{BUILDS[1]}", "other:v1"]
    dry = run(kit, host, force=True, dry=True)
    assert [item.name.split(" ")[0] for item in dry.pending] == going
    assert images(kit, host) == before

    assert names(run(kit, host, force=True)) == going
    assert images(kit, host) == before - set(going)
    assert run(kit, host, force=True).removed == ()


def test_cache_volumes_go_by_their_age(kit: Kit, host: BlankHost) -> None:
    """A file written of late, however deep, makes a cache young; so does having been made of late."""
    cache = "runner-{}-cache-" + "a" * 32
    deep, result, stopped, named = (cache.format(n) for n in ("deep", "made", "stopped", "named"))
    kit.ssh(host, f"""{SHELL}
        volume {OLD_CACHE} 1 15; volume {OLD_CACHE}-protected 1 15; volume young 1 13
        volume {deep} 1 15 group/project/default
        touch /var/lib/docker/volumes/{deep}/_data/group/project/default/cache.zip
        volume {result} 1 15; touch /var/lib/docker/volumes/{result}
        volume {stopped} 1 15; docker create --name extra -v {stopped}:/cache debian:bookworm
        docker volume create {named}; docker volume create mine
        docker volume create runnerkit-registry
        for name in {named} mine runnerkit-registry; do
          find /var/lib/docker/volumes/$name -exec touch -d '-15 days' {{}} +
        done""")  # fmt: skip
    gone = {OLD_CACHE, f"{OLD_CACHE}-protected", named, "runnerkit-registry"}
    assert set(names(run(kit, host, force=True))) == gone
    left = set(kit.ssh(host, "docker volume ls -q").split())
    assert {"young", deep, result, stopped, "mine"} <= left
    assert not gone & left


def test_what_came_within_the_hour_stays(kit: Kit, host: BlankHost) -> None:
    """New, or old and a container's a moment ago: a job may be about to use it."""
    kit.ssh(host, f"""{SHELL}
        build fresh:v1 1; build old:v1 1; build used:v1 1
        age_image 9 old:v1 used:v1; forget
        docker run --rm used:v1 true""")  # fmt: skip
    assert names(run(kit, host, force=True)) == ["old:v1"]


CAME = "/usr/bin/docker create --name extra first:v1"
MEANWHILE = {
    "before the last look": ("ancestor=", CAME, "a container uses it"),
    "and has ended": ("ancestor=", f"{CAME} && /usr/bin/docker rm extra", "it was used meanwhile"),
    "after the last look": ("image rm first:v1", CAME, "conflict: "),
}


@pytest.mark.parametrize("when", MEANWHILE)
def test_a_job_that_begins_meanwhile_keeps_its_image(kit: Kit, host: BlankHost, when: str) -> None:
    """It keeps it whenever it begins; after the last look Docker refuses."""
    call, job, why = MEANWHILE[when]
    kit.ssh(host, f"""{SHELL}
        build first:v1 1; build second:v1 1; age_image 9 first:v1; age_image 8 second:v1; forget
        cat >/usr/local/bin/docker <<'END'
#!/bin/sh
case $* in *"{call}"*) {{ {job}; }} >/dev/null 2>&1 ;; esac
exec /usr/bin/docker "$@"
END
        chmod +x /usr/local/bin/docker""")  # fmt: skip
    pruned = run(kit, host, force=True)
    assert names(pruned) == ["second:v1"]
    (kept,) = [note for note in pruned.notes if "kept image first:v1" in note]
    assert why in kept
    assert "first:v1" in images(kit, host)


def test_what_a_pulled_image_is_labelled_decides_nothing(
    kit: Kit, host: BlankHost, world: World
) -> None:
    facts = "x\nname\told:v1\nrecent\told:v1\r\ncontainer\tfoo/kept:latest\nversion\t\u2028whole"
    labels = {"image": facts, "name": facts, "runnerkit.bases": facts, "runnerkit.image": facts}
    client = docker.from_env()
    base = io.BytesIO(f"FROM {IMAGES_OF}/debian:bookworm".encode())
    image, _ = client.images.build(fileobj=base, tag="evil:1", labels=labels)
    mirror.push(client, world.names, image, "library/evil:1")
    client.images.remove("evil:1")
    kit.ssh(host, f"""{SHELL}build old:v1 1; build foo/kept:latest 1 foo/kept
        age_image 9 old:v1 foo/kept:latest; forget; docker pull -q evil:1
        docker run --name extra1 --label "image={facts}" evil:1 true""")  # fmt: skip
    assert {*names(run(kit, host, force=True))} == {"old:v1", "foo/kept:latest"}
    assert "evil:1" in images(kit, host)


@pytest.mark.long
def test_the_timer_does_it_by_itself(kit: Kit, host: BlankHost) -> None:
    kit.ssh(host, f"{SHELL}{five_builds(30)}forget; fill 90")
    before = images(kit, host)
    configured(kit, host, schedule="daily")
    start = "start runnerkit-prune.timer"
    writes = [f"write {path}" for path in (PROGRAM, f"{UNIT}.service", f"{UNIT}.timer")]
    assert kit.bootstrap().titles == [*writes, start]
    assert kit.bootstrap().hosts[host.name]["execs"] == 1
    timer = "systemctl is-enabled runnerkit-prune.timer; systemctl is-active runnerkit-prune.timer"
    assert kit.ssh(host, timer).split() == ["enabled", "active"]
    assert images(kit, host) == before

    log = "journalctl --sync; journalctl -u runnerkit-prune.service -o cat --no-pager"
    hold = f"exec 9>>{LOCK}; flock 9; echo bob >{LOCK}; systemctl start --no-block"
    kit.ssh(host, f"""{hold} runnerkit-prune.service
        until {log} | grep -q 'waiting for another run: bob'; do sleep 0.1; done""")  # fmt: skip
    kit.ssh(host, "systemctl start runnerkit-prune.service")
    output = prune.parse(kit.ssh(host, log))
    assert names(output) == [f"web:{BUILDS[0]}", f"web:{BUILDS[1]}"]
    assert images(kit, host) == before - builds(1, 2)

    for drift in ("stop", "disable", "disable --now"):
        kit.ssh(host, f"systemctl {drift} runnerkit-prune.timer")
        assert kit.bootstrap().titles == [start]
    assert kit.ssh(host, timer).split() == ["enabled", "active"]

    configured(kit, host, schedule="weekly")
    assert kit.bootstrap().titles == [f"write {UNIT}.timer", start]
    assert "OnCalendar=weekly" in kit.ssh(host, "systemctl cat runnerkit-prune.timer")
    configured(kit, host)
    assert len(kit.bootstrap().titles) == 1
    assert kit.plan().titles == []
    assert kit.ssh(host, "find / -xdev -name '*runnerkit-prune*' ; :") == ""
    assert "runnerkit" not in kit.ssh(host, "ls /usr/local/lib; systemctl list-timers --all")
