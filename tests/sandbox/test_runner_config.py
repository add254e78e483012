"""config.toml under the stand-in runner: what it reads, keeps, drops and writes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.runner.config import file, keys
from sandbox.runner.config.known_keys import CONFIG
from sandbox.runner.table import Table

HAND_WRITTEN = """
# our runners
concurrent = 4
colour = "blue"
[[runners]]
  name = "web"            # the first
  url = "$GITLAB"
  token = "glrt-abcdefgh0123"
  executor = "docker"
  buids_dir = "/x"
  [runners.cache]
    type = "s3"
  [runners.docker]
    image = "debian"
    pull_policy = "if-not-present"
    nonsense = true
    tmpfs = { "/run" = "rw" }
"""

SAVED = """\
concurrent = 4
check_interval = 0
connection_max_age = "15m0s"
shutdown_timeout = 0

[session_server]
  session_timeout = 1800

[[runners]]
  name = "web"
  url = "https://gitlab.example.com"
  id = 0
  token = "glrt-abcdefgh0123"
  token_obtained_at = 0001-01-01T00:00:00Z
  token_expires_at = 0001-01-01T00:00:00Z
  executor = "docker"
  [runners.cache]
    type = "s3"
  [runners.docker]
    tls_verify = false
    image = "debian"
    privileged = false
    disable_entrypoint_overwrite = false
    oom_kill_disable = false
    disable_cache = false
    volume_keep = false
    pull_policy = ["if-not-present"]
    shm_size = 0
    network_mtu = 0
    [runners.docker.tmpfs]
      "/run" = "rw"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "config.toml"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_save_drops_comments_and_unknown_keys_and_expands_variables(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB", "https://gitlab.example.com")
    file.load(write(path, HAND_WRITTEN)).save()
    assert path.read_text() == SAVED


def test_a_save_changes_nothing_the_second_time(path: Path) -> None:
    file.load(write(path, HAND_WRITTEN)).save()
    once = path.read_text()
    file.load(path).save()
    assert path.read_text() == once


def test_a_new_file_is_private_and_an_old_one_keeps_its_mode(path: Path) -> None:
    file.load(path).save()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    file.load(path).save()
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_missing_file_means_no_runners(path: Path) -> None:
    found = file.load(path)
    assert (found.runners, found.data["concurrent"], found.modified) == ([], 1, 0.0)


@pytest.mark.parametrize(
    "text",
    ["concurrent = ", 'concurrent = "four"', "concurrent = true", "[[runners]]\nlimit = 1.5"],
)
def test_what_cannot_be_decoded_is_refused(path: Path, text: str) -> None:
    with pytest.raises(file.BadConfig, match="decoding configuration file: toml: "):
        file.load(write(path, text))


def test_unknown_keys_are_found_by_their_path(path: Path) -> None:
    raw = file.parse(write(path, HAND_WRITTEN))
    assert sorted(keys.unknown(raw, CONFIG)) == [
        "colour",
        "runners.buids_dir",
        "runners.docker.nonsense",
    ]


def test_of_an_autoscaler_all_keys_are_known(path: Path) -> None:
    text = "[[runners]]\n[runners.autoscaler]\nnovel = 1\n[[runners.autoscaler.policy]]\nidle = 2\n"
    assert sorted(keys.unknown(file.parse(write(path, text)), CONFIG)) == [
        "runners.autoscaler.novel",
        "runners.autoscaler.policy.idle",
    ]


def test_dates_survive_a_save(path: Path) -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    found = file.load(write(path, HAND_WRITTEN))
    found.runners[0]["token_expires_at"] = when
    found.save()
    assert file.load(path).runners[0]["token_expires_at"] == when


def test_a_template_fills_only_what_is_empty(path: Path) -> None:
    template = file.template(
        write(
            path,
            'concurrent = 9\n[[runners]]\nname = "t"\ntoken = "x"\nlimit = 3\n'
            '[runners.docker]\nimage = "alpine"\nvolumes = ["/a"]\nprivileged = true\n',
        )
    )
    given = Table(name="cli", docker=Table(volumes=["/b"], privileged=False))
    assert file.merged(given, template) == {
        "name": "cli",
        "limit": 3,
        "docker": {"image": "alpine", "volumes": ["/b"], "privileged": True},
    }


@pytest.mark.parametrize("text", ["", "[[runners]]\n[[runners]]\n"])
def test_a_template_has_exactly_one_runner(path: Path, text: str) -> None:
    with pytest.raises(file.BadConfig, match="exactly one"):
        file.template(write(path, text))
