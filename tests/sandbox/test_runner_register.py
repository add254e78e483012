"""`register` of the stand-in runner: two kinds of tokens, what is refused, what is written."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.runner import cli
from sandbox.runner.config import file
from tests.sandbox.runner_stub import Stub, stub

CREATED = "glrt-abcdefghijklmnopqrst"
VALID = (200, {"id": 42, "token": CREATED, "token_expires_at": None})
FORBIDDEN = (403, {"message": "403 Forbidden"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def register(server: Stub | str, path: Path, *arguments: str) -> int:
    url = server if isinstance(server, str) else server.url
    return cli.main(["register", "-n", "-c", str(path), "--url", url, *arguments])


def docker(*arguments: str) -> list[str]:
    return ["--executor", "docker", "--docker-image", "debian", "--name", "web", *arguments]


def test_a_created_runner_is_verified_and_written(path: Path) -> None:
    with stub(verify=VALID) as server:
        assert register(server, path, "--token", CREATED, *docker()) == 0
    found = file.load(path).runners[0]
    wanted = {"name": "web", "url": server.url, "id": 42, "token": CREATED, "executor": "docker"}
    assert found.items() >= wanted.items()
    assert found.table("docker")["volumes"] == ["/cache"]
    body = server.requests[0][1]
    assert body["system_id"] == (path.parent / ".runner_system_id").read_text()
    assert server.headers[0]["RUNNER-TOKEN"] == CREATED


def test_registering_twice_appends(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with stub(verify=VALID) as server:
        register(server, path, "--token", CREATED, *docker())
        assert register(server, path, "--token", CREATED, *docker()) == 0
    assert len(file.load(path).runners) == 2
    assert "with this system ID and token has already been registered" in capfd.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        "--tag-list=a",
        "--run-untagged",
        "--locked=false",
        "--access-level=ref_protected",
        "--maximum-timeout=600",
        "--paused",
        "--maintenance-note=x",
    ],
)
def test_the_options_of_the_server_are_refused_with_a_created_runner(
    path: Path, option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with stub(verify=VALID) as server:
        assert register(server, path, "--token", CREATED, option, *docker()) == 1
    assert server.requests == []
    assert not path.exists()
    assert "FATAL: Runner configuration other than name and" in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--locked", "--run-untagged=false", "--paused=false"])
def test_defaults_may_be_spelt_out(path: Path, option: str) -> None:
    with stub(verify=VALID) as server:
        assert register(server, path, "--token", CREATED, option, *docker()) == 0


def test_the_old_way_sends_the_options_and_keeps_the_new_token(path: Path) -> None:
    answer = (201, {"id": 7, "token": "NewToken0123456789ab"})
    with stub(register=answer) as server:
        given = ["--registration-token", "GRold", "--tag-list", "a,b", "--paused", *docker()]
        assert register(server, path, *given) == 0
    body: dict[str, Any] = server.requests[0][1]
    wanted = {"description": "web", "tag_list": "a,b", "paused": True, "run_untagged": False}
    assert body.items() >= wanted.items()
    assert "maximum_timeout" not in body
    assert file.load(path).runners[0]["token"] == "NewToken0123456789ab"


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "forbidden (check registration token)"), (410, "failed")],
)
def test_a_refused_registration_writes_nothing(
    path: Path, status: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with stub(register=(status, {"message": "no"})) as server:
        assert register(server, path, "--registration-token", "GRold", *docker()) == 1
    error = capfd.readouterr().err
    assert f"Registering runner... {words}" in error
    assert "PANIC: Failed to register the runner." in error
    assert not path.exists()


def test_a_token_that_the_server_does_not_know_is_refused(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with stub(verify=FORBIDDEN) as server:
        assert register(server, path, "--token", CREATED, *docker()) == 1
    error = capfd.readouterr().err
    assert "Verifying runner... is not valid" in error
    assert "PANIC: Failed to verify the runner." in error
    assert CREATED not in error


def test_a_server_that_cannot_be_reached_is_a_failure(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert register("http://127.0.0.1:1/", path, "--token", CREATED, *docker()) == 1
    error = capfd.readouterr().err
    assert "ERROR: Verifying runner... failed" in error
    assert "dial tcp 127.0.0.1:1: connect: connection refused" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--executor", "nosuch"], "Invalid executor specified"),
        (["--executor", "docker"], "The docker-image needs to be entered"),
    ],
)
class TestAFailureAfterVerifying:
    def test_unregisters_the_manager(
        self, path: Path, arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with stub(verify=VALID, unregister_manager=(204, None)) as server:
            assert register(server, path, "--token", CREATED, *arguments) == 1
        assert server.called() == ["POST /runners/verify", "DELETE /runners/managers"]
        assert f"PANIC: {words}" in capfd.readouterr().err

    def test_leaves_it_when_asked_to(self, path: Path, arguments: list[str], words: str) -> None:
        with stub(verify=VALID) as server:
            given = ["--token", CREATED, "--leave-runner", *arguments]
            assert register(server, path, *given) == 1
        assert server.called() == ["POST /runners/verify"]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ([], ["/cache"]),
        (["--docker-volumes", "/a:/cache"], ["/a:/cache"]),
        (["--docker-volumes", "/a"], ["/a", "/cache"]),
        (["--docker-disable-cache"], None),
    ],
)
def test_the_cache_volume_is_added_where_there_is_none(
    path: Path, given: list[str], written: list[str] | None
) -> None:
    with stub(verify=VALID) as server:
        register(server, path, "--token", CREATED, *docker(*given))
    assert file.load(path).runners[0].table("docker").get("volumes") == written


def test_a_template_brings_what_the_command_line_leaves_out(path: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.toml"
    template.write_text(
        '[[runners]]\nexecutor = "docker"\n[runners.docker]\nimage = "alpine"\n'
        'pull_policy = "never"\n'
    )
    with stub(verify=VALID) as server:
        given = ["--token", CREATED, "--template-config", str(template)]
        assert register(server, path, *given) == 0
    found = file.load(path).runners[0].table("docker")
    assert (found["image"], found["pull_policy"]) == ("alpine", ["never"])


def test_a_missing_template_is_fatal(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.toml")
    assert register("http://x/", path, "--token", CREATED, "--template-config", missing) == 1
    error = capfd.readouterr().err
    assert "FATAL: Could not handle configuration merging from template file" in error


@pytest.mark.parametrize(
    ("missing", "words"), [("--url", "url"), ("--token", "registration-token")]
)
def test_without_a_terminal_nothing_is_asked(
    path: Path, missing: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = {"--url": "http://x/", "--token": CREATED}
    del given[missing]
    arguments = [word for pair in given.items() for word in pair]
    assert cli.main(["register", "-n", "-c", str(path), *arguments]) == 1
    assert f"PANIC: The {words} needs to be entered" in capfd.readouterr().err
