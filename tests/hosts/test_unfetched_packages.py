"""Docker's packages cannot be fetched: the first cause leads, and the fix is about it."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.refusals import assert_error, changed

OLD = "mkdir -p /var/tmp/lists && mv /var/lib/apt/lists/* /var/tmp/lists/; "
NEW = "; rm -rf /var/lib/apt/lists/*; mv /var/tmp/lists/* /var/lib/apt/lists/"
NO_DNS = "cat /etc/resolv.conf >/var/tmp/dns; echo nameserver 127.0.0.1 >/etc/resolv.conf"
DNS = "cat /var/tmp/dns >/etc/resolv.conf"
PROXY = "/etc/apt/apt.conf.d/99proxy"
REPOSITORY = """mkdir -p /var/tmp/repository /var/tmp/sources
mv /etc/apt/sources.list* /var/tmp/sources/
echo 'deb [trusted=yes] file:/var/tmp/repository ./' >/etc/apt/sources.list
cd /var/tmp/repository; : >Packages
printf 'Date: %s\\nValid-Until: %s\\nSHA256:\\n {} 0 Packages\\n' "$(date -uRd '{}')" "$(date -uRd '{}')" >Release"""
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SOURCES = "rm -rf /etc/apt/sources.list* /var/tmp/repository; mv /var/tmp/sources/* /etc/apt/"

CAUSES = {
    "no DNS": (OLD + NO_DNS, DNS + NEW, "Temporary failure resolving", "mend its DNS"),
    "no DNS, and an index of today": (
        f"find /var/lib/apt/lists -exec touch {{}} +; {NO_DNS}",
        DNS,
        "Temporary failure resolving",
        "mend its DNS",
    ),
    "a proxy that is not there": (
        OLD + f"echo 'Acquire::http::Proxy \"http://127.0.0.1:9\";' >{PROXY}",
        f"rm {PROXY}" + NEW,
        "127.0.0.1:9",
        "mirror or proxy",
    ),
    "a release that moved": (
        OLD + "sed -i.old 's/ trixie/ hamm/' /etc/apt/sources.list",
        "mv /etc/apt/sources.list.old /etc/apt/sources.list" + NEW,
        "does not have a Release file",
        "archive.debian.org",
    ),
    "a clock that is a day behind": (
        OLD + REPOSITORY.format(EMPTY, "tomorrow", "next month"),
        SOURCES + NEW,
        "is not valid yet",
        "the clock of the host is behind",
    ),
    "a mirror left alone": (
        OLD + REPOSITORY.format(EMPTY, "last year", "yesterday"),
        SOURCES + NEW,
        "is expired",
        "no longer renewed",
    ),
    "a disk that is full": (
        OLD + "mount -t tmpfs -o size=100k none /var/cache/apt",
        "umount /var/cache/apt" + NEW,
        "No space left on device",
        "make room",
    ),
    "a disk that is read-only": (
        "mount --bind /var/cache /var/cache; mount -o remount,bind,ro /var/cache",
        "umount /var/cache",
        "Read-only file system",
        "mount that file system",
    ),
}


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[BlankHost]:
    yield world.host("unfetched", "plain")
    world.remove("unfetched")


@pytest.mark.parametrize(
    "what", [pytest.param(one, marks=[pytest.mark.long] * (one != "no DNS")) for one in CAUSES]
)
def test_the_first_cause_leads(kit: Kit, host: BlankHost, what: str) -> None:
    do, undo, output, fix = CAUSES[what]
    kit.settings(host)
    kit.new_token()
    with changed(kit, host, do, undo):
        ran = kit.run("bootstrap", "--host", "all")
    error = assert_error(kit, ran, fix=fix)
    assert output in error
    assert "docker-ce" not in ran.err


@pytest.mark.long
def test_another_source_that_is_dead_keeps_nobody_from_docker(kit: Kit, host: BlankHost) -> None:
    """The last test here: the host has Docker after it."""
    kit.settings(host)
    kit.new_token("beside")
    dead = "echo 'deb http://127.0.0.1:9/debian trixie main' >/etc/apt/sources.list.d/dead.list"
    kit.ssh(host, f"{dead}; rm -rf /var/lib/apt/lists/*")
    kit.bootstrap()
