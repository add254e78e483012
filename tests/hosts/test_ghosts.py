"""What GitLab has and no host, taken off as it was listed; never what speaks still."""

import json
from typing import Any

import pytest

from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.pages import commands

HERE = "tests/hosts/test_ghosts.py"
API = {"api_token": {"env": "GITLAB_TOKEN"}}
MARK = "runnerkit host={} machine=00000000 runner=web"
OLD, NEW = "s_00000000001d", "s_0000000000e3"


def swept(kit: Kit, command: str) -> dict[str, str]:
    """What became of each ghost, by its runner's name and its own."""
    ran = kit.run(*command.split()[1:], "--json")
    assert ran.code == (2 if "--dry-run" in command else 0), ran.out + ran.err
    found = json.loads(ran.out)["ghosts"]
    return {f"{one['name']} {one['system_id'] or ''}".strip(): one["state"] for one in found}


def runner(kit: Kit, name: str, **options: Any) -> int:
    kit.gitlab.new_runner(name, **options)
    return int(kit.gitlab.runners(name)[0]["id"])


@pytest.mark.long
def test_only_what_was_listed_and_is_silent_goes(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "here")
    token = kit.new_token("here")
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.settings(host, gitlab=API)
    kit.bootstrap()
    number = kit.gitlab.runners("here")[0]["id"]
    for system in (OLD, NEW):
        kit.gitlab.call("POST", "/api/v4/runners/verify", token=token, system_id=system)
    ages = {"runner": number, "system_id": OLD, "seconds": 8 * 24 * 3600}
    kit.gitlab.call("POST", "/sandbox/silence", **ages)
    gone = runner(kit, "gone", maintenance_note=MARK.format("gone"))
    runner(kit, "theirs", maintenance_note="somebody's")
    back = runner(kit, "back", maintenance_note=MARK.format("back"))
    for one in (gone, back):
        kit.gitlab.call("POST", "/sandbox/silence", runner=one, seconds=9 * 24 * 3600)

    listed = {f"here {OLD}": "listed", f"here {NEW}": "listed", "gone": "listed", "back": "listed"}
    dry, remove = commands(f"{HERE}::test_only_what_was_listed_and_is_silent_goes")
    assert swept(kit, dry) == listed
    assert kit.run("gitlab.ghosts", "--host", "all").code == 1  # nobody is there to be asked
    assert swept(kit, dry) == listed

    # It speaks again through a manager.
    answer = kit.gitlab.call("POST", f"/api/v4/runners/{back}/reset_authentication_token")
    kit.gitlab.call("POST", "/api/v4/runners/verify", token=answer["token"], system_id=NEW)
    done = {f"here {OLD}": "removed", f"here {NEW}": "kept: online", "gone": "removed"}
    assert swept(kit, remove) == done
    (left,) = kit.gitlab.runners("here")
    assert OLD not in str(left["managers"])
    assert NEW in str(left["managers"])
    assert kit.gitlab.runners("gone") == []
    assert kit.gitlab.runners("theirs")
    assert kit.gitlab.runners("back")
    assert kit.job("echo on")["state"] == "success"


def test_a_host_that_does_not_answer_makes_no_ghosts(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "up")
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.settings(host, gitlab=API, hosts={"down": {"address": "root@127.0.0.1:9"}})
    gone = runner(kit, "gone", maintenance_note=MARK.format("gone"))
    kit.gitlab.call("POST", "/sandbox/silence", runner=gone, seconds=9 * 24 * 3600)
    ran = kit.run("gitlab.ghosts", "--host", "all", "--yes", "--json")
    assert ran.code == 1
    data = json.loads(ran.out)
    assert (data["ghosts"], sorted(data["unknown"])) == ([], ["down", "up"])
    assert kit.gitlab.runners("gone")
