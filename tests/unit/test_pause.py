"""A pause in a runner's note, and what a host keeps to end it."""

import json
import subprocess
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.actions.resume import Left, Places, Resume
from runnerkit.checks.runner import managers
from runnerkit.errors import KitError
from runnerkit.facts import File, ServerRunner, pause
from runnerkit.facts.pause import Pause
from runnerkit.fleet.changes.pause import _resume_token
from runnerkit.fleet.run import Fleet
from runnerkit.plan import Script
from runnerkit.report.page import once
from runnerkit.settings.model import GitLab, Settings
from runnerkit.settings.secrets import Secret, Source
from tests.unit.build import converged, want

UNTIL = "2026-11-27T12:00:00Z"
SECRET = "glpat-resume00000000000000"
NOTES = [
    "",
    "runnerkit host=ci1 machine=1 runner=web",
    "two\nlines\n",
    "runnerkit paused by hand, see wiki",
]


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize(
    "one", [Pause(), Pause("why: this"), Pause("", UNTIL), Pause("why", UNTIL)]
)
def test_a_note_is_as_it_was_once_its_pause_is_over(note: str, one: Pause) -> None:
    assert pause.read(note) is None
    paused = pause.laid_over(note, Pause("an earlier one", UNTIL))
    paused = pause.laid_over(paused, one)
    assert pause.read(paused) == one
    assert paused.startswith(note)
    assert pause.without(paused) == note


def test_what_status_tells_of_a_pause() -> None:
    note = pause.laid_over(NOTES[1], Pause("new disks", UNTIL))
    server = {"web": ServerRunner(7, "web", note, paused=True)}
    (found,) = managers.findings(want(), converged(server=server))
    assert found.what == (
        f"runner web is paused at GitLab until {UNTIL}: no host of it takes jobs (new disks)"
    )
    assert "runner.resume" in found.fix


def step(note: str = NOTES[1]) -> Resume:
    return Resume(12, Pause("why", UNTIL), note, Secret(SECRET))


def test_what_a_host_keeps_is_root_s_alone_and_goes_whole() -> None:
    changes = converge.plan(want(), converged(), [step()])
    assert [one.title.split(", ")[0] for one in changes][-1] == "start runnerkit-resume-12.timer"
    assert not any(SECRET in one.title + one.diff for one in changes)
    files = {path: File(b"", 0o600, 1) for path in Places(12).all}
    (gone,) = converge.plan(want(), converged(files=files), [Left(12)])
    assert isinstance(gone, Script)
    assert all(path in gone.text for path in Places(12).all)
    assert converge.plan(want(), converged(), [Left(12)]) == []


@pytest.mark.parametrize(
    ("answers", "over"),
    [
        (["200 mine", "200"], "the runner takes jobs again"),
        (["500", "200 mine", "503", "200 mine", "200"], "the runner takes jobs again"),
        (["200 other"], "the pause is another one by now, and is left"),
        (["401"], "GitLab refuses: 401"),
        ([], ""),  # somebody took the token away
    ],
)
def test_the_program_ends_its_own_pause_alone(
    tmp_path: Path, answers: list[str], over: str
) -> None:
    places, files = Places(12), step('a "quoted" \\ note')._files(want())
    if answers:
        (tmp_path / "12").write_text(files[places.secret].text)
    (tmp_path / "12.put").write_text(files[f"{places.secret}.put"].text)
    program = tmp_path / "resume"
    text = (
        files[places.program].text.replace(places.secret, f"{tmp_path}/12").replace("sleep 30", ":")
    )
    program.write_text(text.replace("/etc/systemd", f"{tmp_path}/etc"))
    mine = {"maintenance_note": f"x\nrunnerkit paused until {UNTIL}: why"}
    bodies = [f"{json.dumps(mine) if 'mine' in one else '{}'}\n{one.split()[0]}" for one in answers]
    for number, body in enumerate(bodies):
        (tmp_path / f"answer{number}").write_text(body)
    (tmp_path / "curl").write_text(
        f"#!/bin/sh\ncd {tmp_path}\ncat >>asked\nfor one in answer*; do cat $one; rm $one; exit; done\n"
    )
    (tmp_path / "systemctl").write_text("#!/bin/sh\nexit 0\n")
    for name in ("curl", "systemctl"):
        (tmp_path / name).chmod(0o755)
    ran = subprocess.run(
        ["sh", str(program)], text=True, capture_output=True, check=False, timeout=30,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert over in ran.stdout + ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    (asked := tmp_path / "asked").touch()
    assert {one.name for one in tmp_path.iterdir()} == {"asked", "curl", "systemctl"}
    puts = asked.read_text().count("PUT")
    assert puts == sum(one in ("503", "200") for one in answers)


def test_a_token_that_the_settings_name_and_nobody_has_set_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RESUME_TOKEN", raising=False)
    gitlab = GitLab(resume_token=Source(env="RESUME_TOKEN"))
    with pytest.raises(KitError, match="RESUME_TOKEN"):
        _resume_token(Fleet((), Settings(gitlab=gitlab), lambda *_: None))


def test_a_name_stands_once_before_what_it_has_to_say() -> None:
    assert once([("note", "web", "was not paused", "")] * 2) == ["note: web: was not paused"]
