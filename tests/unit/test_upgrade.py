"""What is meant by --to, what is kept for a rollback, and who is spared when a host fails."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runnerkit.actions import settle, upgrade
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.files import previous
from runnerkit.fleet.changes.rollout import BACK, KEPT, READY, UPGRADED, Rollout, Standing
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Pace, Unfinished
from runnerkit.plan import Script
from runnerkit.settings import edit
from runnerkit.settings.load import load
from runnerkit.settings.targets import Target
from runnerkit.steps import manager
from runnerkit.want import Want
from tests.unit import build

DIGEST = f"sha256:{'a' * 64}"
NEW = "gitlab/gitlab-runner:v19.3.1"


@pytest.mark.parametrize(
    ("image", "to", "found"),
    [
        (build.MANAGER, "v19.4.0", "gitlab/gitlab-runner:v19.4.0"),
        (build.MANAGER, "alpine-v19.4.0", "gitlab/gitlab-runner:alpine-v19.4.0"),
        (build.MANAGER, DIGEST, f"gitlab/gitlab-runner@{DIGEST}"),
        (f"hub:5000/ci/runner@{DIGEST}", "7", "hub:5000/ci/runner:7"),
        ("runner", "1.2.3", "runner:1.2.3"),
        (build.MANAGER, "hub:5000/ci/runner:7", "hub:5000/ci/runner:7"),
        (build.MANAGER, f"hub/ci@{DIGEST}", f"hub/ci@{DIGEST}"),
    ],
)
def test_what_is_typed_is_a_tag_a_digest_or_a_whole_reference(
    image: str, to: str, found: str
) -> None:
    assert upgrade.reference(image, to) == found


@pytest.mark.parametrize(
    ("to", "what"),
    [
        ("", "no tag"),
        ("sha256:12", "no tag"),
        ("v 1", "no tag"),
        ("a/b:c:d", "no tag"),
        ("v1;reboot", "no tag"),
        ("latest", "moves"),
        ("alpine3.21", "moves"),
        ("gitlab/gitlab-runner", "moves"),
        ("19.3.0", "begin with v"),
    ],
)
def test_what_is_none_or_moves_is_told_before_any_host_is_asked(to: str, what: str) -> None:
    with pytest.raises(KitError, match=what):
        upgrade.reference(build.MANAGER, to)


def test_a_digest_gets_the_version_beside_it_by_which_the_helper_is_known() -> None:
    named = upgrade.versioned(f"gitlab/gitlab-runner@{DIGEST}", "17.5.5")
    assert named == f"gitlab/gitlab-runner:v17.5.5@{DIGEST}"
    assert upgrade.of_image(build.want(), named).release == "v17.5.5"
    assert upgrade.versioned(NEW, "1.2.3") == NEW


def upgraded(kept: str = "", **containers: Any) -> Facts:
    """A host with that previous.json, and these containers besides the manager's."""
    have = build.converged()
    others = {f"gitlab-runner.{key}": one for key, one in containers.items()}
    files = {**have.files, **({previous.PATH: File(kept.encode(), 0o600, 1)} if kept else {})}
    return replace(have, containers={**have.containers, **others}, files=files)


def kept(**fields: str) -> str:
    return json.dumps({"schema": 1, "managers": {"gitlab-runner": fields}})


def of(image: str) -> dict[str, Any]:
    return build.container(Image=f"sha256:{image}", Config={"Image": image, "Env": []})


RUNNING = f"sha256:{build.MANAGER}"


@pytest.mark.parametrize(
    ("have", "image"),
    [
        (upgraded(kept(image=NEW, id=f"sha256:{NEW}")), NEW),
        (upgraded(before=of(NEW)), NEW),  # an upgrade was cut off
        (upgraded(kept(image=build.MANAGER, id=RUNNING), before=of(NEW)), build.MANAGER),
        (upgraded(kept(id=RUNNING, left=NEW)), build.MANAGER),  # was rolled back already
        (upgraded("no JSON", before=of(NEW)), NEW),
    ],
)
def test_a_rollback_is_to_the_image_before_and_never_forth_again(have: Facts, image: str) -> None:
    assert upgrade.back_to(build.want(), have) == image


@pytest.mark.parametrize("text", ["", "no JSON", '{"schema": 2}', "[]", '{"managers": 7}'])
def test_a_rollback_without_a_known_image_is_told(text: str) -> None:
    with pytest.raises(KitError, match="no previous image"):
        upgrade.back_to(build.want(), upgraded(text))


def test_a_tag_that_moved_meanwhile_is_not_gone_back_to() -> None:
    have = upgraded(kept(image="runner:7", id="sha256:old"))
    names = {"runner:7": {"Id": "sha256:new"}, f"runner@{DIGEST}": {"Id": "sha256:old"}}
    have = replace(
        have,
        images={**have.images, "runnerkit-previous:gitlab-runner": {"Id": "sha256:old"}, **names},
    )
    assert previous.reference(build.want(), have) == f"runner@{DIGEST}"


@pytest.mark.parametrize("step", [manager, upgrade.Replacement()])
def test_whoever_comes_next_ends_an_upgrade_that_was_cut_off(step: Any) -> None:
    (change,) = step.changes(build.want(), upgraded(before=of(NEW)))
    assert change.title == f"have the container gitlab-runner prove itself, or put {NEW} back"


def test_the_scripts_are_shell() -> None:
    have = upgraded()
    new = upgrade.of_image(build.want(), NEW)
    changes = upgrade.Replacement().changes(new, have)
    texts = [one.text for one in changes if isinstance(one, Script)]
    assert texts
    texts += [upgrade.trial(new, have), settle.script(new, have, of(NEW), "sha256:x")]
    for text in texts:
        ran = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
        assert ran.stderr == ""


def test_a_manager_that_goes_leaves_no_volumes_of_its_image() -> None:
    new = upgrade.of_image(build.want(), NEW)
    (change,) = (
        one for one in upgrade.Replacement().changes(new, upgraded()) if isinstance(one, Script)
    )
    lines = [line for line in change.text.splitlines() if "docker rm " in line]
    assert lines
    assert all(" -v " in line for line in lines), (
        "Docker stays after runner.remove where a volume does"
    )


def test_what_a_program_says_is_read_and_a_line_without_words_is_not() -> None:
    output = "version VmVyc2lvbjogICAgICAxNy41LjUK\nfaults eA==\nnoise\n"
    assert upgrade.parsed(output) == upgrade.Trial("17.5.5", "x")
    assert upgrade.parsed("") == upgrade.Trial("")


def rollout(states: dict[str, str], stop: bool = False) -> Rollout:
    targets = tuple(Target(name, "local") for name in states)
    fleet = Fleet(targets, load(), lambda *_: None, pace=Pace(1, stop))
    run = Rollout(fleet, dict.fromkeys(states, build.want()))
    run.each(list(states), lambda *_: Standing(READY, "a", "b"))

    def work(host: Host, _: Want) -> Standing:
        if (state := states[host.name]) == UPGRADED:
            return Standing(state)
        error = KitError("no word")
        raise Unfinished(error, Standing(BACK)) if state == BACK else error

    run.each(list(states), work)
    run.spare()
    return run


@pytest.mark.parametrize(
    ("second", "stop", "third"),
    [
        (BACK, False, "not begun"),
        (KEPT, False, UPGRADED),
        (KEPT, True, "not begun"),
        (UPGRADED, True, UPGRADED),
    ],
)
def test_one_that_is_put_back_spares_those_not_begun(second: str, stop: bool, third: str) -> None:
    run = rollout({"a": UPGRADED, "b": second, "c": UPGRADED}, stop)
    states = [one.result.state for one in run.outcomes.values() if one.result]
    assert states == [UPGRADED, second, third]
    assert bool(run.outcomes["c"].error) == (third != UPGRADED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '# ours\n[manager]\nimage = "x:1" # pinned\nconcurrent = 2\n\n[hosts]\n',
            '# ours\n[manager]\nimage = "y:2" # pinned\nconcurrent = 2\n\n[hosts]\n',
        ),
        ('manager.image = "x:1"\n', 'manager.image = "y:2"\n'),
        ("manager = { concurrent = 2 }\n", 'manager = { concurrent = 2, image = "y:2"}\n'),
        ("# ours\n[hosts]\n", '# ours\n[hosts]\n\n[manager]\nimage = "y:2"\n'),
        ("", '[manager]\nimage = "y:2"\n'),
    ],
)
def test_the_one_key_is_written_and_all_else_stays(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "runnerkit.toml"
    file.write_text(before)
    file.chmod(0o640)
    edit.set_key(file, "manager", "image", "y:2")
    assert file.read_text() == after
    assert file.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["runnerkit.toml"]
