"""Hosts whose login shell has something to say before the kit does."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.test_killed import in_host

# What people have in the .bashrc that sshd's shell reads.
TALK = {
    "a greeting": "echo Welcome; echo 'this is fine' >&2",
    "a title without a new line": r"printf '\033]0;ci1\007'",
    "many lines": "seq 1 20000; seq 1 20000 >&2",
    "words of the kit's own": "echo locked; echo ready; echo 'end: yes'; echo 'sudo: no' >&2",
    "no UTF-8": r"printf '\377\376 caf\351 '",
}
TALK["all of them"] = "; ".join(TALK.values())
CLEAN = """rm -rf /root/.bashrc /srv/gitlab-runner
docker rm -f gitlab-runner
docker image rm -f $(docker image ls -q tester | sort -u) || :"""


@pytest.fixture(scope="module")
def pair(world: World) -> Iterator[list[BlankHost]]:
    names = ("talk1", "talk2")
    yield [world.host(name, "docker") for name in names]
    for name in names:
        world.remove(name)


@pytest.mark.long
@pytest.mark.parametrize("talk", TALK)
def test_what_a_login_shell_says_is_not_taken_for_an_answer(
    kit: Kit, pair: list[BlankHost], talk: str
) -> None:
    kit.settings(*pair)
    kit.new_token()
    for host in pair:
        in_host(kit, host, f"cat >/root/.bashrc <<'END'\n{TALK[talk]}\nEND")
    try:
        assert kit.plan("talk1").code == 2
        kit.bootstrap("talk1")
        assert kit.plan("talk1").titles == []
        ran = kit.run("image.ship", "tester", "--from", "talk1", "--host", "all", "--json")
        assert ran.code == 0, ran.out + ran.err
        assert [one["images"][0]["state"][:5] for one in ran.hosts.values()] == ["uncha", "moved"]
    finally:
        for host in pair:
            in_host(kit, host, CLEAN)


def test_a_script_s_own_words_are_all_that_is_heard(kit: Kit, pair: list[BlankHost]) -> None:
    kit.ssh(pair[0], "printf 'echo before; trap \"echo after\" EXIT\n' >/root/.bashrc")
    kit.settings(pair[0])
    try:
        assert kit.run("image.list", "--host", "talk1").code == 0
    finally:
        in_host(kit, pair[0], "rm -f /root/.bashrc")
