"""A runner's token gives way to a new one on all of its hosts, and no job is lost."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runnerkit.place import ROOT
from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit, until
from tests.hosts.test_drain import INSIDE, long_job
from tests.hosts.test_killed import Running, in_host
from tests.hosts.test_runner_drain import LONG
from tests.hosts.test_secrets import Watch, forms, places

pytestmark = pytest.mark.usefixtures("counted")

API = {"api_token": {"env": "GITLAB_TOKEN"}}
Pair = tuple[BlankHost, BlankHost]


@pytest.fixture(scope="module")
def pair(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two hosts with Docker, the images and the manager, set up at once with one glrt- token."""
    hosts, kit = ("rotates1", "rotates2"), Kit(world, tmp_path_factory.mktemp("rotates"))
    first, second = (world.host(name, "docker") for name in hosts)
    kit.settings(first, second, runners={"web": {"name": "rotates"}})
    kit.new_token("rotates")
    kit.bootstrap()
    yield first, second
    kit.gitlab.forget_runners("rotates")
    for name in hosts:
        world.remove(name)


def shared(kit: Kit, pair: Pair, api: bool = False, **runner: Any) -> int:
    """Both hosts have one new runner, by one token; its number."""
    kit.gitlab.forget_runners("rotates")
    kit.new_token("rotates")
    kit.settings(*pair, gitlab=API if api else {}, runners={"web": {"name": "rotates", **runner}})
    kit.env["GITLAB_TOKEN"] = kit.world.api_token if api else ""
    for host in pair:
        kit.ssh(host, f"sed -i '/^\\[\\[runners/,$d' {CONFIG}")
    kit.bootstrap()
    (found,) = kit.gitlab.runners("rotates")
    return int(found["id"])


def tokens(kit: Kit, host: BlankHost) -> dict[str, str]:
    """Those of the host's runners, by name."""
    entries = tomllib.loads(kit.ssh(host, f"cat {CONFIG}"))["runners"]
    return {entry["name"]: entry["token"] for entry in entries}


def token(kit: Kit, host: BlankHost) -> str:
    (one,) = tokens(kit, host).values()
    return one


def resets(kit: Kit) -> int:
    requests = kit.gitlab.call("GET", "/sandbox/state")["requests"]
    return sum(many for path, many in requests.items() if "reset_authentication_token" in path)


def rotate(kit: Kit, *words: str, host: str = "all", code: int = 0) -> dict[str, dict[str, Any]]:
    ran = kit.run("runner.rotate", "--host", host, "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.hosts


def everywhere(kit: Kit, pair: Pair, former: str, name: str = "rotates") -> str:
    """The new token, which all have; the former is nowhere, and nothing is left to do."""
    (new,) = {tokens(kit, host)[name] for host in pair}
    assert new != former
    for host in pair:
        found = kit.ssh(
            host, f"grep -rlF {former} {CONFIG.rpartition('/')[0]} /var/lib/runnerkit; :"
        )
        assert found == ""
        known = {"config.toml", "config.toml.previous", ".runner_system_id"}
        assert set(kit.ssh(host, f"ls -A {CONFIG.rpartition('/')[0]}").split()) <= known
    ran = kit.plan()
    assert all(one["changes"] == [] for one in ran.hosts.values()), ran.out
    (runner,) = kit.gitlab.runners(name)
    assert len(runner["managers"]) == len(pair)
    return new


@pytest.mark.parametrize(
    "api", [pytest.param(True, id="api"), pytest.param(False, id="own", marks=pytest.mark.long)]
)
def test_one_new_token_on_all_hosts_while_a_job_runs(kit: Kit, pair: Pair, api: bool) -> None:
    number = shared(kit, pair, api)
    former, (job, busy) = token(kit, pair[0]), long_job(kit, *pair)
    dry = rotate(kit, "--dry-run", code=2)
    assert {one["state"] for one in dry.values()} == {"pending"}
    assert token(kit, pair[0]) == former
    before = tomllib.loads(kit.ssh(pair[0], f"cat {CONFIG}"))

    done = rotate(kit)
    assert {one["verified"] for one in done.values()} == {True}
    new = everywhere(kit, pair, former)
    after = tomllib.loads(kit.ssh(pair[0], f"cat {CONFIG}"))
    for one in (before, after):
        for key in ("token", "token_obtained_at", "token_expires_at"):
            del one["runners"][0][key]
    assert (after, after["runners"][0]["id"]) == (before, number)
    assert kit.gitlab.job(job)["state"] == "running"
    kit.ssh(busy, f"docker exec $({INSIDE}) touch /end")
    assert kit.gitlab.wait(job)["state"] == "success"
    assert kit.job("echo again")["state"] == "success"
    assert new not in str(done)


@pytest.mark.long
@pytest.mark.parametrize("api", [True, False], ids=["api", "own"])
def test_two_runners_of_one_config_toml_in_one_run(kit: Kit, pair: Pair, api: bool) -> None:
    """Each gets a token of its own, on all hosts, while a job of each runs."""
    names = ("rotates", "rotates-too")
    kit.gitlab.forget_runners(names[1])
    kit.env["OTHER_TOKEN"] = kit.gitlab.new_runner(names[1], tag_list=["too"], run_untagged=False)
    web = {"name": names[0], "docker": kit.world.own_helper}
    other = {**web, "name": names[1], "image": "tester", "token": {"env": "OTHER_TOKEN"}}
    shared(kit, pair, api)
    kit.settings(*pair, gitlab=API if api else {}, runners={"web": web, "other": other})
    kit.bootstrap()
    kit.settled()
    before = [tokens(kit, host) for host in pair]
    numbers = [kit.gitlab.queue(LONG, tags=tags) for tags in ([], ["too"])]
    until(lambda: len("".join(kit.ssh(host, INSIDE) for host in pair).split()) == 2)

    done = rotate(kit)
    assert {one["verified"] for one in done.values()} == {True}
    assert {tuple(one["tokens"]) for one in done.values()} == {names}
    first, second = (tokens(kit, host) for host in pair)
    assert first == second
    assert {*first} == {*names}
    assert len({*first.values(), *before[0].values()}) == 4
    for name, token in before[0].items():
        assert first[name] != token
        everywhere(kit, pair, token, name)
    for host in pair:
        kit.ssh(host, f"for one in $({INSIDE}); do docker exec $one touch /end; done")
    assert [kit.gitlab.wait(one)["state"] for one in numbers] == ["success"] * 2
    assert kit.job("echo again", tags=["too"])["state"] == "success"
    assert kit.job("echo again")["state"] == "success"
    kit.gitlab.forget_runners(names[1])


@pytest.mark.long
def test_a_host_that_was_down_is_mended_by_the_next_run(kit: Kit, pair: Pair) -> None:
    shared(kit, pair)
    up, down = pair
    former = token(kit, up)
    in_host(kit, down, "systemctl stop ssh.socket ssh")
    ran = kit.run("runner.rotate", "--host", "all", "--stop-on-failure")
    assert (ran.code, token(kit, up)) == (1, former)
    ran = kit.run("runner.rotate", "--host", "all")
    assert ran.code == 1
    assert f"note: {down.name}: runner web gets no jobs there by its former token" in ran.err
    assert "this machine: RUNNER_TOKEN still gives the former token" in ran.err
    new, many = token(kit, up), resets(kit)
    in_host(kit, down, "systemctl start ssh")
    assert token(kit, down) == former != new
    done = rotate(kit)
    assert done[down.name]["tokens"] == {"rotates": "the new one, from another host"}
    assert (resets(kit), everywhere(kit, pair, former)) == (many, new)


@pytest.mark.long
def test_what_may_not_be_changes_nothing(kit: Kit, pair: Pair) -> None:
    """An API token that may not reset; and hosts with the token that were not named."""
    shared(kit, pair, api=True)
    former = token(kit, pair[0])
    ran = kit.run("runner.rotate", "--host", pair[0].name)
    assert (ran.code, ran.out) == (1, "")
    assert f"the token of runner web is also on {pair[1].name}, which a new one" in ran.err
    kit.env["GITLAB_TOKEN"] = kit.world.create_token
    ran = kit.run("runner.rotate", "--host", "all")
    assert ran.code == 1
    errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "GITLAB_TOKEN may not do that" in errors[0]
    assert {token(kit, host) for host in pair} == {former}
    assert not list((ROOT / ".runnerkit/rotations").glob("*"))


@pytest.mark.long
def test_a_token_that_has_ended_gives_way_by_the_api(kit: Kit, pair: Pair) -> None:
    kit.gitlab.call("POST", "/sandbox/switches", runner_token_seconds=20)
    try:
        keeps = {"feature_flags": {"FF_DISABLE_AUTOMATIC_TOKEN_ROTATION": True}}
        number = shared(kit, pair, settings=keeps)
        former = token(kit, pair[0])
        until(
            lambda: (
                "not valid"
                in kit.ssh(pair[0], "docker exec gitlab-runner gitlab-runner verify 2>&1; :")
            )
        )
    finally:
        kit.gitlab.call("POST", "/sandbox/switches", runner_token_seconds=None)
    ran = kit.run("runner.rotate", "--host", "all")
    assert "which cannot renew itself then" in ran.err
    assert "GITLAB_TOKEN" in ran.err
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.settings(*pair, gitlab=API, runners={"web": {"name": "rotates", "settings": keeps}})
    ran = kit.run("runner.rotate", "--host", "all")
    assert f"--id NUMBER --runner web; the host has it as #{number}" in ran.err
    assert {token(kit, host) for host in pair} == {former}
    rotate(kit, "--id", str(number))
    everywhere(kit, pair, former)


@pytest.mark.long
@pytest.mark.parametrize("api", [True, False], ids=["api", "own"])
def test_killed_at_each_change(kit: Kit, pair: Pair, api: bool) -> None:
    shared(kit, pair, api)
    former, killed = token(kit, pair[0]), list[str]()
    while True:
        running = Running(kit, "runner.rotate", "--host", "all")
        fresh = next((title for title in running.changes() if title not in killed), "")
        if not fresh:
            ended = running.end()
            break
        killed += [fresh, *running.kill()]
    assert ended.code == 0, ended.err
    first = "reset the token of runner" if api else "renew the token of runner rotates"
    assert any(title.startswith(first) for title in killed)
    assert "give runner rotates its new token" in killed
    everywhere(kit, pair, former)
    assert not list((ROOT / ".runnerkit/rotations").glob("*"))
    for host in pair:
        assert kit.ssh(host, "ls /tmp | grep -v ^systemd-private; :") == ""


@pytest.mark.long
@pytest.mark.parametrize("api", [True, False], ids=["api", "own"])
def test_tokens_are_nowhere_that_others_can_look(kit: Kit, pair: Pair, api: bool) -> None:
    shared(kit, pair, api)
    source = kit.folder / "token"
    source.write_text(f"{kit.env['RUNNER_TOKEN']}\n")
    kit.settings(*pair, gitlab=API if api else {}, runners={"web": {"name": "rotates"}})
    text = (
        (kit.folder / "runnerkit.toml")
        .read_text()
        .replace('env = "RUNNER_TOKEN"', f'file = "{source}"')
    )
    (kit.folder / "runnerkit.toml").write_text(text)
    former = token(kit, pair[0])
    with Watch() as watch:
        ran = kit.run("runner.rotate", "--host", "all", "--write")
    assert ran.code == 0, ran.err
    assert "still gives" not in ran.err
    new = everywhere(kit, pair, former)
    assert (source.read_text(), source.stat().st_mode & 0o777) == (f"{new}\n", 0o600)
    assert [one for one in Path(kit.folder).iterdir() if one.name.startswith(".token")] == []
    patterns = forms(former, new)
    assert watch.rounds > 10
    assert watch.saw(patterns) == []
    assert not any(one in ran.out + ran.err for one in patterns)
    for host in pair:
        assert places(kit, host, patterns) == []
        assert kit.ssh(host, f"stat -c '%a %U' {CONFIG}") == "600 root\n"
