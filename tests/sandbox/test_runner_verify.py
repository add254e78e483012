"""`verify`, `unregister`, `list` and `lint` of the stand-in runner: what the exit codes mean."""

from pathlib import Path

import pytest

from sandbox.runner import cli
from sandbox.runner.config import file
from sandbox.runner.table import Table
from tests.sandbox.runner_stub import Stub, stub

CREATED = "glrt-abcdefghijklmnopqrst"
OLD = "OldToken0123456789ab"
VALID = (200, {"id": 1, "token": "x", "token_expires_at": None})
FORBIDDEN = (403, {"message": "403 Forbidden"})
Output = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def write(path: Path, server: Stub | str, *tokens: str) -> None:
    url = server if isinstance(server, str) else server.url
    found = file.load(path)
    found.runners = [
        Table(name=f"r{number}", url=url, token=token, executor="shell")
        for number, token in enumerate(tokens)
    ]
    found.save()


def run(command: str, path: Path, *arguments: str) -> int:
    return cli.main([command, "-c", str(path), *arguments])


@pytest.mark.parametrize(
    ("token", "answer", "code", "words"),
    [
        (CREATED, VALID, 0, "Verifying runner... is valid"),
        (OLD, VALID, 0, "Verifying runner... is alive"),
        (CREATED, FORBIDDEN, 1, "Verifying runner... is not valid"),
        (OLD, FORBIDDEN, 1, "ERROR: Verifying runner... is removed"),
        (CREATED, (404, {"message": "?"}), 0, "ERROR: Verifying runner... failed"),
    ],
)
def test_only_a_refusal_is_a_failure(
    path: Path, token: str, answer: tuple[int, object], code: int, words: str, capfd: Output
) -> None:
    with stub(verify=answer) as server:
        write(path, server, token)
        assert run("verify", path) == code
    error = capfd.readouterr().err
    assert words in error
    assert ("FATAL: Failed to verify runners" in error) == (code == 1)
    assert token not in error


def test_a_server_that_cannot_be_reached_is_no_failure(path: Path, capfd: Output) -> None:
    write(path, "http://127.0.0.1:1/", CREATED)
    assert run("verify", path) == 0
    assert "ERROR: Verifying runner... failed" in capfd.readouterr().err


def test_no_runners_are_no_failure(path: Path) -> None:
    assert run("verify", path) == 0


def test_leftover_variables_are_not_selectors(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_SERVER_TOKEN", "glrt-another0000000000000")
    with stub(verify=VALID) as server:
        write(path, server, CREATED)
        assert run("verify", path) == 0


def test_delete_removes_what_was_refused(path: Path) -> None:
    with stub(verify=FORBIDDEN) as server:
        write(path, server, CREATED)
        assert run("verify", path, "--delete") == 0
    assert file.load(path).runners == []


def test_a_server_in_trouble_is_asked_five_times(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.runner.server.http_client.FIRST_WAIT", 0.0)
    with stub(verify=(500, {"message": "?"})) as server:
        write(path, server, CREATED)
        assert run("verify", path) == 0
    assert len(server.requests) == 5


def test_a_created_runner_loses_its_manager_and_an_old_one_all(path: Path) -> None:
    with stub(unregister=(204, None), unregister_manager=(204, None)) as server:
        write(path, server, CREATED, OLD)
        assert run("unregister", path, "--name", "r0") == 0
        assert [runner["token"] for runner in file.load(path).runners] == [OLD]
        assert run("unregister", path, "--token", OLD) == 0
    assert server.called() == ["DELETE /runners/managers", "DELETE /runners"]
    assert file.load(path).runners == []


def test_a_failed_unregister_fails_for_one_and_not_for_all(path: Path) -> None:
    with stub(unregister_manager=FORBIDDEN) as server:
        write(path, server, CREATED)
        assert run("unregister", path, "--name", "r0") == 1
        assert run("unregister", path, "--all-runners") == 0
    assert len(file.load(path).runners) == 1


@pytest.mark.parametrize("arguments", [[], ["--name", "nobody"], ["--token", "glrt-nobody000000"]])
def test_unregister_wants_a_runner_that_is_there(path: Path, arguments: list[str]) -> None:
    write(path, "http://127.0.0.1:1/", CREATED)
    assert run("unregister", path, *arguments) == 1


def test_list_never_fails_and_shows_no_whole_token(path: Path, capfd: Output) -> None:
    write(path, "http://x/", CREATED)
    assert run("list", path) == 0
    path.write_text("broken = ")
    assert run("list", path) == 0
    error = capfd.readouterr().err
    assert "Listing configured runners" in error
    assert CREATED not in error


def test_lint_names_unknown_keys_and_writes_nothing(path: Path, capfd: Output) -> None:
    path.write_text("[[runners]]\nbuids_dir = '/x'\n")
    assert run("lint", path) == 1
    assert "unknown key: runners.buids_dir" in capfd.readouterr().err
    path.write_text("concurrent = 2\n")
    assert run("lint", path) == 0
    assert capfd.readouterr().out == "Configuration file is valid.\n"
    path.unlink()
    assert run("lint", path) == 1
    assert list(path.parent.iterdir()) == []


def test_version_is_printed_to_stdout(capfd: Output) -> None:
    assert cli.main(["--version"]) == 0
    output = capfd.readouterr()
    assert output.out.startswith("Version:      19.3.0\nGit revision: ")
    assert output.err == ""


def test_an_unknown_command_is_fatal(capfd: Output) -> None:
    assert cli.main(["nosuch"]) == 1
    assert "FATAL: Command nosuch not found." in capfd.readouterr().err


def test_help_names_the_commands_that_there_are(capfd: Output) -> None:
    assert cli.main(["--help"]) == 0
    commands = capfd.readouterr().out
    assert "lint" in commands
    assert "fleeting" not in commands
