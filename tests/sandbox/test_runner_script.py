"""The scripts that the stand-in runner feeds to a job's shell, run by the shells of this machine."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sandbox.runner.variables import Variable, Variables, gather

from sandbox.runner import script

SHELLS = [shell for shell in ("sh", "bash", "dash") if shutil.which(shell)]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(
    shell: str, directory: Path, *commands: str, variables: tuple[Variable, ...] = ()
) -> tuple[int, list[str]]:
    text = script.stage(variables, str(directory), script.commands(commands), subshell=True)
    done = subprocess.run([shell], input=text, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("\033[32;1m$ ")]
    return done.returncode, lines


def test_commands_run_in_the_project_and_share_their_shell(shell: str, tmp_path: Path) -> None:
    code, lines = run(shell, tmp_path, "x=1", "echo $x", "pwd")
    assert (code, lines) == (0, ["1", str(tmp_path)])


def test_the_first_failure_ends_the_script_with_its_code(shell: str, tmp_path: Path) -> None:
    assert run(shell, tmp_path, "echo a", "(exit 7)", "echo b") == (7, ["a"])


def test_exit_ends_the_script_with_its_code(shell: str, tmp_path: Path) -> None:
    text = script.stage((), str(tmp_path), ["exit 7", "echo b"])
    done = subprocess.run([shell], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "")


def test_no_command_can_eat_the_rest_of_the_script(shell: str, tmp_path: Path) -> None:
    assert run(shell, tmp_path, "cat", "echo still here") == (0, ["still here"])


def test_variables_arrive_whatever_they_hold(shell: str, tmp_path: Path) -> None:
    value = 'it\'s $HOME "quoted" `date` \\ é'
    variables = (Variable("X", value),)
    assert run(shell, tmp_path, 'printf "%s\\n" "$X"', variables=variables) == (0, [value])


def test_a_file_variable_is_the_path_of_a_file(shell: str, tmp_path: Path) -> None:
    variables = (Variable("KEY", "line 1\nline 2", file=True),)
    code, lines = run(shell, tmp_path / ".", 'echo "$KEY"', 'cat "$KEY"', variables=variables)
    assert code == 0
    assert Path(lines[0]).name == "KEY"
    assert lines[1:] == ["line 1", "line 2"]


def test_a_command_is_shown_before_it_runs(tmp_path: Path) -> None:
    text = script.stage((), str(tmp_path), script.commands(["echo a", "echo b\necho c"]))
    done = subprocess.run(["sh"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "\033[32;1m$ echo a\033[0;m",
        "a",
        "\033[32;1m$ echo b # collapsed multi-line command\033[0;m",
        "b",
        "c",
    ]


def test_the_files_of_file_variables_are_removed_again(tmp_path: Path) -> None:
    directory = str(tmp_path / "project")
    kept = tmp_path / "project.tmp" / "KEY"
    kept.parent.mkdir()
    kept.write_text("secret")
    text = script.clean([Variable("KEY", "secret", file=True)], directory)
    subprocess.run(["sh"], input=text, text=True, check=True)
    assert not kept.exists()
    assert script.clean([Variable("KEY", "plain")], directory) == ""


def test_variables_expand_one_another_except_raw_ones() -> None:
    found = Variables(
        [
            Variable("A", "a"),
            Variable("B", "$A-${A}-$$A-$NONE"),
            Variable("C", "$A", raw=True),
            Variable("A", "later"),
        ]
    )
    assert found.get("B") == "later-later-$A-"
    assert found.get("C") == "$A"


def test_the_job_wins_over_the_runner_and_the_runner_adds_its_own() -> None:
    runner = {"environment": ["A=runner", "B=runner"], "feature_flags": {"FF_X": True}}
    job = {
        "runner_info": {"timeout": 60},
        "variables": [{"key": "A", "value": "job"}, {"key": "S", "value": "x", "masked": True}],
    }
    found = gather(runner, job, "/builds/g/p", (0, 0))
    assert (found.get("A"), found.get("B"), found.get("CI_JOB_TIMEOUT")) == ("job", "runner", "60")
    assert found.get("CI_PROJECT_DIR") == "/builds/g/p"
    assert found.flag("FF_X", default=False)
    assert found.flag("FF_TIMESTAMPS", default=True)
    assert found.secrets() == ["x"]
