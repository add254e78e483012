"""A runner of the host has another token than the settings give: renewed, or to be changed over."""

import subprocess
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.checks.gitlab import acceptance, runners
from runnerkit.plan import Script
from tests.unit.build import GOOD, TOKEN, URL, converged, want

OTHER = GOOD.replace(TOKEN, "glrt-other000000000000000")
REFUSED = "ERROR: Verifying runner... is not valid   runner=other0000"


def change(known: dict[str, bool], config: str = OTHER) -> list[Script]:
    planned = converge.plan(want(), converged(config, tokens=known))
    return [one for one in planned if isinstance(one, Script)]


@pytest.mark.parametrize(
    ("known", "code"),
    [({}, "runner-other-token"), ({"web": False}, "runner-token-renewed"), ({"web": True}, None)],
)
def test_a_renewed_token_is_told_apart_from_another_runner_s(
    known: dict[str, bool], code: str | None
) -> None:
    found = list(runners.findings(want(), converged(OTHER, tokens=known)))
    assert [one.code for one in found] == ([code] if code else [])
    assert not any("remove" in one.fix for one in found), "the entry works"
    assert bool(change(known)) == (known == {"web": True})


def test_a_change_over_keeps_all_that_the_entry_has_besides() -> None:
    more = OTHER.replace("  executor", "  limit = 3 # theirs\n  executor")
    (write,) = change({"web": True}, more)
    assert (write.title, write.token) == (
        "change runner ci1-web over to the token of the settings",
        "web",
    )
    assert [end.url for end in write.reaches] == [URL]
    gone = [line for line in write.diff.splitlines() if line.startswith("-")][1:]
    assert [line.split()[1] for line in gone] == ["id"]
    assert TOKEN not in write.text + write.diff
    # The manager is taken off the runner that it was, once the entry is the other's.
    off = write.text.index("gitlab-runner unregister")
    assert write.text.index('mv -f "$new" "$path"') < off
    assert "glrt-other000000000000000" in write.text[:off].rpartition("<<'ENTRY'")[2]


def test_what_registering_tells_is_put_where_the_former_token_stood(tmp_path: Path) -> None:
    (config := tmp_path / "config.toml").write_text(OTHER)
    (write,) = change({"web": True})
    words = (
        'noise\n[written]\n[[runners]]\n  name = "x"\n  id = 9\n  token = "glrt-new"\n'
        "  token_obtained_at = 2026-01-01T00:00:00Z\n  token_expires_at = 0001-01-01T00:00:00Z\n"
    )
    docker = tmp_path / "docker"
    docker.write_text(
        f"#!/bin/sh\ncase $* in *\"-i --security-opt\"*) cat >/dev/null; printf %s '{words}';; esac\n"
    )
    docker.chmod(0o755)
    text = write.text.replace("/srv/gitlab-runner/config", str(tmp_path))
    ran = subprocess.run(
        ["sh"], input=f"TOKEN=glrt-new\n{text}", text=True, capture_output=True, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "glrt-new" not in ran.stdout + ran.stderr
    lines = words.splitlines()[4:]
    expected = OTHER.replace("  id = 7\n", "").splitlines()
    at = next(i for i, line in enumerate(expected) if "token =" in line)
    assert config.read_text().splitlines() == [*expected[:at], *lines, *expected[at + 1 :]]
    assert oct(config.stat().st_mode)[-3:] == "600"


def test_a_refused_token_is_an_error_unless_the_settings_have_a_good_one() -> None:
    have = converged(OTHER, verify=REFUSED)
    (found,) = acceptance.findings(want(), have)
    assert found.code == "runner-refused"
    assert "changes the runner over" in found.fix
    have = converged(OTHER, verify=REFUSED, tokens={"web": True})
    assert list(acceptance.findings(want(), have)) == []


def test_an_autoscaler_s_manager_is_stopped_before_its_token_changes() -> None:
    machines = f"{OTHER}  [runners.autoscaler]\n    max_instances = 2\n"
    (write,) = change({"web": True}, machines)
    assert (
        write.text.index("register()") < write.text.index("docker stop") < write.text.index("mv -f")
    )
    assert "docker stop" not in change({"web": True})[0].text


@pytest.mark.parametrize(
    ("answer", "fix"),
    [
        (
            "OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown",
            "runner.logs",
        ),
        ("Error response from daemon: Container 6b2f36cee441 is not running", "runner.logs"),
        ("Container 6b2f is restarting, wait until the container is running", "runner.logs"),
        ("dial tcp: lookup gitlab: no such host", "DNS"),
    ],
)
def test_a_manager_that_ended_while_it_was_asked_is_no_fault_of_the_network(
    answer: str, fix: str
) -> None:
    (found,) = acceptance.findings(want(), converged(verify=answer))
    assert fix in found.fix
