"""The scripts that the stand-in runner feeds to a job's shell, run by the shells of this machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.runner.job import script, variables
from sandbox.runner.table import Table

SHELLS = [shell for shell in ("sh", "bash", "dash") if shutil.which(shell)]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(shell: str, directory: Path, *commands: str, **variables: str) -> tuple[int, list[str]]:
    text = script.stage(variables, str(directory), commands)
    done = subprocess.run([shell], input=text, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("\033[32;1m$ ")]
    return done.returncode, lines


def test_commands_run_in_the_project_and_share_their_shell(shell: str, tmp_path: Path) -> None:
    code, lines = run(shell, tmp_path, "x=1", "echo $x", "pwd")
    assert (code, lines) == (0, ["1", str(tmp_path)])


def test_the_first_failure_ends_the_script(shell: str, tmp_path: Path) -> None:
    code, lines = run(shell, tmp_path, "echo a", "(exit 7)", "echo b")
    assert code != 0
    assert lines == ["a"]


def test_exit_ends_the_script_with_its_code(shell: str, tmp_path: Path) -> None:
    assert run(shell, tmp_path, "exit 7", "echo b") == (7, [])


def test_no_command_can_eat_the_rest_of_the_script(shell: str, tmp_path: Path) -> None:
    assert run(shell, tmp_path, "cat", "echo still here") == (0, ["still here"])


def test_variables_arrive_whatever_they_hold(shell: str, tmp_path: Path) -> None:
    value = 'it\'s $HOME "quoted" `date` \\ é'
    assert run(shell, tmp_path, 'printf "%s\\n" "$X"', X=value) == (0, [value])


def test_a_command_is_shown_before_it_runs(tmp_path: Path) -> None:
    text = script.stage({}, str(tmp_path), ["echo a", "echo b\necho c"])
    done = subprocess.run(["sh"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "\033[32;1m$ echo a\033[0;m",
        "a",
        "\033[32;1m$ echo b # collapsed multi-line command\033[0;m",
        "b",
        "c",
    ]


def test_the_job_wins_over_the_runner_and_the_runner_adds_its_own() -> None:
    runner = Table(environment=["A=runner", "B=$A-${A}-$NONE"])
    given = [Table(key="A", value="job"), Table(key="S", value="x", masked=True)]
    job = Table(runner_info=Table(timeout=60), variables=given)
    found = variables.gather(runner, job, "/builds/g/p", 0)
    assert (found["A"], found["B"], found["CI_JOB_TIMEOUT"]) == ("job", "job-job-", "60")
    assert found["CI_PROJECT_DIR"] == "/builds/g/p"
    assert variables.secrets(job) == ["x"]
