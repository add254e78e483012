"""Servers that answer a host badly: GitLab and mirrors, each found as what it does."""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from runnerkit.fleet.health.probing import beside
from runnerkit.machine.machine import Machine
from runnerkit.machine.route import Route, Trouble
from runnerkit.machine.ssh.connection import connection
from sandbox.world import BlankHost
from tests.hosts.kit import Kit
from tests.hosts.refusals import changed
from tests.hosts.sick import Answer, as_json, certificate, server
from tests.hosts.test_doctor import TOKEN, at_work, codes, look, runner, words  # noqa: F401  (fixtures)

pytestmark = pytest.mark.long
VERSION = as_json(401, {"message": "401 Unauthorized"})


def slowly(_: str) -> Answer:
    time.sleep(2.2)
    return VERSION


GITLABS: dict[str, Callable[[str], Answer]] = {
    "gitlab-failing": lambda _: (502, {"Content-Type": "text/html"}, b"<h1>Whoops</h1>"),
    "gitlab-other": lambda _: (302, {"Location": "https://login.example.com/"}, b""),
    "gitlab-slow": slowly,
    "clock-off": lambda _: (
        *VERSION[:1], {**VERSION[1], "Date": "Tue, 01 Jan 2030 00:00:00 GMT"}, VERSION[2],
    ),
}  # fmt: skip
DIGEST = "sha256:15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
MANIFEST = as_json(200, {"layers": [{"digest": DIGEST, "size": 9}]})


def registry(**answers: Answer) -> Callable[[str], Answer]:
    """One that serves all, but for these."""

    def answer(path: str) -> Answer:
        if path == "/v2/":
            return answers.get("door", as_json(200, {}))
        if "/manifests/" in path:
            return answers.get("manifest", MANIFEST)
        return answers.get("blob", (206, {}, b"123456789"))

    return answer


DENIED = as_json(403, {"errors": [{"message": "this image is not in the allowlist"}]})
MIRRORS = {
    "registry-refuses": registry(blob=DENIED),
    "registry-lacks": registry(manifest=as_json(404, {})),
    "registry-quota": registry(manifest=as_json(402, {"message": "quota"})),
    "registry-other": registry(door=(200, {}, b""), manifest=(500, {}, b"")),
    "registry-token": registry(
        door=as_json(401, {}, **{"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:1/t",service="x"'})
    ),
}  # fmt: skip


def seen(kit: Kit, host: BlankHost, url: str) -> list[str]:
    """What doctor finds with GitLab at that address."""
    kit.settings(host, gitlab={"url": url})
    return codes(look(kit))


@pytest.mark.parametrize("code", GITLABS)
def test_a_gitlab_that_is_not_well(at_work: Kit, runner: BlankHost, code: str) -> None:  # noqa: F811
    with server(at_work.world.net.address(1), GITLABS[code]) as url:
        assert seen(at_work, runner, url) == [code]


def test_certificates(at_work: Kit, runner: BlankHost, tmp_path: Path) -> None:  # noqa: F811
    here = at_work.world.net.address(1)
    folder = "/srv/gitlab-runner/config/certs"
    good, old = certificate(tmp_path, here), certificate(tmp_path, here, -1)
    other = certificate(tmp_path, at_work.world.net.address(9))

    def trusting(files: tuple[str, str]) -> tuple[str, str]:
        text = Path(files[0]).read_text()
        put = f"mkdir -p {folder}; cat >{folder}/{here}.crt <<'END'\n{text}END"
        return put, f"rm -r {folder}"

    for code, files in {
        "gitlab-certificate-expired": old,
        "gitlab-certificate-name": other,
    }.items():
        with (
            server(here, lambda _: VERSION, files) as url,
            changed(at_work, runner, *trusting(files)),
        ):
            assert seen(at_work, runner, url) == [code]
    with server(here, lambda _: VERSION, good) as url:
        assert seen(at_work, runner, url) == ["gitlab-certificate-untrusted"]
        assert seen(at_work, runner, url.replace("https", "http")) == ["gitlab-unreachable"]
        with changed(at_work, runner, *trusting(good)):
            assert seen(at_work, runner, url) == []
    with server(here, lambda _: VERSION) as url:
        assert seen(at_work, runner, url.replace("http", "https")) == ["gitlab-no-tls"]


def test_dns_that_is_gone(at_work: Kit, runner: BlankHost) -> None:  # noqa: F811
    """The host asks a name server that is not there, and is not waited for."""
    dead = f"echo nameserver {at_work.world.net.address(250)} >/root/resolv.conf"
    mount = f"{dead}; mount --bind /root/resolv.conf /etc/resolv.conf"
    with changed(at_work, runner, mount, "umount /etc/resolv.conf"):
        assert seen(at_work, runner, "http://gitlab.example.test") == ["gitlab-unresolved"]


@pytest.mark.parametrize("code", MIRRORS)
def test_a_mirror_that_lies(at_work: Kit, runner: BlankHost, code: str) -> None:  # noqa: F811
    with server(at_work.world.net.address(1), MIRRORS[code]) as url:
        mirrors = [at_work.world.mirror_url, url]
        at_work.settings(runner, docker={"registry_mirrors": mirrors})
        ran = look(at_work)
    assert codes(ran) == [code], words(ran)
    (found,) = ran.hosts[runner.name]["findings"]
    assert url in found["what"]


def test_a_mirror_that_is_gone_or_hangs(at_work: Kit, runner: BlankHost) -> None:  # noqa: F811
    for url in ("http://127.0.0.1:1", f"http://{at_work.world.net.address(250)}:5000"):
        at_work.settings(runner, docker={"registry_mirrors": [at_work.world.mirror_url, url]})
        ran = look(at_work)
        assert codes(ran) == ["registry-unreachable"], words(ran)


def test_many_questions_at_once_break_nothing(at_work: Kit, runner: BlankHost) -> None:  # noqa: F811
    """What paramiko sends of a channel after its close ends the whole connection, once in some hundred."""
    world, answers = at_work.world, Counter[str]()
    known = str(world.state / "known_hosts")
    machine = Machine(connection(f"root@{runner.address}", str(runner.key), known, False))
    machine.run("true")  # it is there before anything is asked at once
    route = Route(machine, {}, {}, patience=20)

    def ask(url: str) -> None:
        try:
            answers[str(route.ask(url).status)] += 1
        except Trouble as error:
            answers[error.kind] += 1

    try:
        urls = (
            f"{world.mirror_url}/v2/",
            f"{world.gitlab_url}/api/v4/version",
            "http://127.0.0.1:1",
        )
        for _ in range(20):
            beside([partial(ask, url) for url in urls * 8], 60)
    finally:
        machine.close()
    assert answers == {"200": 160, "401": 160, "connection": 160}
