"""What is typed wrong is told with the nearest right word; no end is a traceback."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runnerkit import __version__
from runnerkit.place import ROOT

INV = str(ROOT / "inv")
BAD = '[gitlab]\nurl = "gitlab.com"\n[runners.web]\n'


def run(
    *words: str, settings: str = "", folder: Path | None = None, **env: str
) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNNERKIT")}
    kept |= {"RUNNER_TOKEN": "glrt-unused0000", "RUNNERKIT_SETTINGS": settings, **env}
    return subprocess.run(
        [INV, *words], env=kept, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "error", "fix"),
    [
        ("bootstarp", "no task 'bootstarp' (did you mean 'bootstrap'?)", "--list"),
        ("image.lst", "no task 'image.lst' (did you mean 'image.list'?)", "--list"),
        ("image-list", "did you mean 'image.list'?", "--list"),
        ("ship web", "no task 'ship' (did you mean 'image.ship'?)", "--list"),
        ("image", "image alone is no task", "image.build, image.ship"),
        ("help", "no task 'help' (did you mean '--help'?)", "--list"),
        ("--lst", "no option --lst (did you mean '--list'?)", "--help"),
        ("--help bootstarp", "did you mean 'bootstrap'?", "--list"),
        ("plan --hots x", "plan has no option --hots (did you mean '--host'?)", "--help plan"),
        ("plan --hots=x", "plan has no option --hots (did you mean '--host'?)", "--help plan"),
        ("image.build --hots x", "image.build has no option --hots", "--help image.build"),
        ("image.build --hots", "image.build has no option --hots", "--help image.build"),
        ("plan --host --jsn", "plan has no option --jsn (did you mean '--json'?)", "--help plan"),
        ("image.build", "image.build: NAMES is missing", "image.build NAMES --host HOST; NAMES is"),
        (
            "bundle.diff a.tar",
            "bundle.diff: NEW and FILE are missing",
            "inv bundle.diff OLD NEW FILE; NEW is",
        ),
        (
            "runner.upgrade --host ci1",
            "runner.upgrade: --to is missing",
            "inv runner.upgrade --to TO --host HOST; TO is the version",
        ),
        ("test --only unti", "no session 'unti' (did you mean 'unit'?)", "--only is one of lint"),
        ("plan --host", "--host needs a value", "--help plan"),
        ("plan ci1", "plan takes no word 'ci1'", "--host ci1"),
        ("plan --host ci1 ci2", "plan takes no word 'ci2'", "--host ci1,ci2"),
        ("plan -host ci1", "plan has no option -host (did you mean '--host'?)", "--help plan"),
        ("plan -host=ci1", "plan has no option -host (did you mean '--host'?)", "--help plan"),
        ("-host ci1 plan", "plan has no option -host (did you mean '--host'?)", "--help plan"),
        ("plan --host ci1 -json", "no option -json (did you mean '--json'?)", "--help plan"),
        ("plan -H ci1", "plan has no option -H (did you mean '--host'?)", "--help plan"),
        ("plan -o ci1", "plan has no option -o", "--help plan"),
        ("plan host ci1", "plan has no option host (did you mean '--host'?)", "--help plan"),
        ("plan --host ci1 --dry", "plan has no option --dry", "leave it out"),
        ("plan --host ci1 --dry-run", "plan has no option --dry-run", "leave it out"),
        ("bootstrap --host ci1 --dry", "bootstrap has no option --dry", "inv plan shows"),
        ("image.prune --dry --host ci1", "(did you mean '--dry-run'?)", "--help image.prune"),
        (
            "image.ship a b",
            "image.ship takes no word 'b'",
            "one image, a; hosts are given as --host b",
        ),
        ("image.build a b", "takes no word 'b'", "one word, a,b; hosts are given as --host b"),
        (
            "plan --url http://g --image x:1 --host loacl",
            "--host loacl: no host of the settings, no alias of ssh's, and no name that this "
            "machine can resolve (did you mean 'local'?)",
            "correct it",
        ),
    ],
)
def test_a_word_that_is_wrong_is_told_with_the_right_one(words: str, error: str, fix: str) -> None:
    ran = run(*words.split())
    first, second = ran.stderr.splitlines()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert error in first
    assert first.startswith("error: ")
    assert second.startswith("  fix: ")
    assert fix in second


def test_it_says_its_own_version() -> None:
    assert run("--version").stdout == f"runnerkit {__version__}\n"


@pytest.mark.parametrize("words", [("plan", "--host", "all"), ("plan", "--hots", "all")])
def test_an_error_is_data_too(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "runnerkit.toml"
    file.write_text(BAD)
    ran = run(*words, "--json", settings=str(file))
    data = json.loads(ran.stdout)
    assert (ran.returncode, data["schema"], data["hosts"]) == (1, 1, [])
    assert data["error"].splitlines()[0] in ran.stderr
    assert data["fix"]
    if "--hots" not in words:
        assert [one.partition(":")[0] for one in data["mistakes"]] == [
            "gitlab.url",
            "runners.web.image",
        ]


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ('"$0" --list | head -1; exit ${PIPESTATUS[0]}', 0, ""),
        ('"$0" --list | true; exit ${PIPESTATUS[0]}', 0, ""),
        ('"$0" --list >/dev/full', 1, "the output cannot be written: No space left on device"),
        ('"$0" plan --host x --json >/dev/full', 1, "--host x: no host"),
        ('"$0" bootstarp 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}', 1, ""),
    ],
)
def test_an_output_that_nobody_takes_is_no_traceback(script: str, code: int, words: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", script, INV],
        env={**os.environ, "RUNNERKIT_SETTINGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Exception" not in ran.stderr


def test_a_file_that_a_task_cannot_open_is_not_taken_for_the_output() -> None:
    menu = "from invoke import Collection, task; from runnerkit import program\n"
    menu += "@task\ndef read(_): open('/nowhere')\nprogram.run(Collection(read))"
    ran = subprocess.run(
        [sys.executable, "-c", menu, "read"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: /nowhere: No such file or directory\n  fix: ")


def test_a_terminal_without_the_letters_gets_others(tmp_path: Path) -> None:
    file = tmp_path / "runnerkit.toml"
    file.write_text('[gitlab]\nurl = "构建"\n')
    ran = run("plan", "--host", "x", "--json", settings=str(file), PYTHONIOENCODING="latin-1")
    assert ran.returncode == 1
    assert "gitlab.url: '??' is not a URL" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_init_writes_where_the_settings_are_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    ran = run("init", settings=str(file), folder=tmp_path)
    assert ran.stdout.startswith(f"wrote {file}; ")
    assert file.exists()
    assert not (tmp_path / "runnerkit.toml").exists()


MENU = """
import threading, time
from invoke import Collection, task
from runnerkit import program

def late():
    threading.main_thread().join()
    print("ended", flush=True)
    time.sleep(60)

@task
def begin(_):
    threading.Thread(target=late).start()

program.run(Collection(begin))
"""


def test_ctrl_c_once_more_while_threads_end_is_no_traceback() -> None:
    python = [sys.executable, "-c", MENU, "begin"]
    with subprocess.Popen(
        python, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ran:
        assert ran.stdout is not None
        assert ran.stdout.readline() == "ended\n"
        ran.send_signal(signal.SIGINT)
        assert ran.communicate(timeout=30) == ("", "")
    assert ran.returncode == -signal.SIGINT


def test_ctrl_c_that_nobody_takes_has_its_own_exit_code() -> None:
    menu = "from invoke import Collection, task\nfrom runnerkit import program\n"
    menu += "@task\ndef begin(_): raise KeyboardInterrupt\nprogram.run(Collection(begin))"
    ran = subprocess.run(
        [sys.executable, "-c", menu, "begin"], cwd=ROOT, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (130, b"")


@pytest.mark.parametrize("task", ["bootstrap", "runner.drain", "sandbox.host"])
def test_help_says_what_each_option_does(task: str) -> None:
    options = run("--help", task).stdout.partition("Options:")[2].strip().splitlines()
    assert all(len(line.split()) > 1 for line in options if line.lstrip().startswith("-"))
    assert options
