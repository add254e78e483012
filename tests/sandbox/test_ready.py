"""The settings file of a sandbox's hosts."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sandbox import ready
from sandbox.hosts.blank import BlankHost
from sandbox.names import Names
from sandbox.world import World


def test_what_was_written_into_it_stays_when_a_host_comes(tmp_path: Path) -> None:
    tokens = dict.fromkeys(
        ("create_token", "manage_token", "registration_token", "expired_token"), ""
    )
    put_up = World(
        names=Names("x"),
        net=cast(Any, None),
        gitlab_url="http://10.0.0.1",
        mirror_url="http://10.0.0.2:5000",
        api_token="glpat-x",
        runner_image="gitlab/gitlab-runner:v19.3.0",
        stand_in=True,
        state=tmp_path,
        **tokens,
    )
    ci1, ci2 = (BlankHost(name, "10.0.0.9", "systemd", tmp_path / "key") for name in ("ci1", "ci2"))
    first = ready.settings(put_up, "", ci1)
    mine = first.replace('image = "ci-debian"', 'image = "mine"  # ours')
    second = ready.settings(put_up, mine, ci2)
    assert second.startswith(mine)
    assert [*tomllib.loads(second)["hosts"]] == ["ci1", "ci2"]
    moved = ready.settings(replace(put_up, gitlab_url="http://10.1.0.1"), second, ci2)
    assert moved == second.replace("http://10.0.0.1", "http://10.1.0.1")
