"""Whatever a settings file holds, it is taken or refused in words."""

import datetime
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit.errors import KitError
from runnerkit.place import ROOT
from runnerkit.settings.load import load

STARTER = tomllib.loads((ROOT / "templates/runnerkit.toml").read_text())
SECTIONS = ["gitlab", "docker", "manager", "ssh", "prune", "golden", "runners", "images", "hosts"]
WORDS = st.sampled_from(
    [
        *SECTIONS,
        *[
            "web",
            "ci1",
            "image",
            "token",
            "env",
            "settings",
            "environment",
            "executor",
            "autoscaler",
            "project",
            "group",
            "type",
        ],
        *[
            "high",
            "low",
            "address",
            "base",
            "tags",
            "daemon",
            "instance",
            "docker-autoscaler",
            "policy",
            "plugin",
        ],
        *("plugin_config", "packages", "all", ""),
    ]
)
VALUES = st.recursive(
    WORDS
    | st.booleans()
    | st.integers(-1, 99)
    | st.floats()
    | st.just(datetime.date(2026, 1, 1))
    | st.sampled_from(["http://g", "1h", "debian:12", "user@h:22", "$X", "A_TOKEN=x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@hypothesis_settings(deadline=None, max_examples=300)
@given(
    data=st.dictionaries(st.sampled_from(SECTIONS), VALUES),
    section=st.sampled_from(sorted(STARTER)),
    key=WORDS,
    value=VALUES,
)
def test_no_settings_are_a_traceback(
    data: dict[str, Any], section: str, key: str, value: Any
) -> None:
    laid = {**STARTER, section: {**STARTER[section], key: value}}
    deeper = {**STARTER, "runners": {"web": {**STARTER["runners"]["web"], key: value}}}
    for one in (data, laid, deeper, {**STARTER, **data}):
        try:
            load(command_line=one)
        except KitError as error:
            assert "Expected" not in error.what
            assert "Invalid" not in error.what
