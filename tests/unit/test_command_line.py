"""What is typed goes over the settings file, and a mistake is told as whose it is."""

from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.settings import command_line
from runnerkit.settings.load import load

FILE = '[gitlab]\nurl = "http://g"\n[runners.web]\nimage = "x"\n'


@pytest.mark.parametrize(
    ("more", "typed", "lines"),
    [
        ("", {"url": "gitlab.com"}, ["the command line: 1 mistake", "--url: 'gitlab.com' is not a URL"]),
        ("", {"url": "http://g:0"}, ["the command line: 1 mistake", "--url: its port is no number"]),
        ("", {"mirror": "m"}, ["the command line: 1 mistake", "--mirror: 'm' is not a URL"]),
        ("", {"mirror": "http://a b"}, ["the command line: 1 mistake", "--mirror: there is no name"]),
        (
            "tags = 5\n",
            {"url": "gitlab.com"},
            ["FILE and the command line: 2 mistakes", "--url: 'gitlab.com'", "runners.web.tags: 5 is"],
        ),
        ("tags = 5\n", {"url": "http://h"}, ["FILE: 1 mistake", "runners.web.tags: 5 is not"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_as_whose_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    typed: dict[str, str],
    lines: list[str],
) -> None:
    (file := tmp_path / "runnerkit.toml").write_text(FILE + more)
    monkeypatch.setenv("RUNNERKIT_SETTINGS", str(file))
    with pytest.raises(KitError) as caught:
        load(file, command_line.settings_of(typed))
    output = [line.strip() for line in caught.value.what.splitlines()]
    assert len(output) == len(lines)
    for line, begin in zip(output, lines, strict=True):
        assert line.startswith(begin.replace("FILE", str(file)))


def test_so_is_one_of_a_run_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNNER_TOKEN", "glrt-unused0000")
    monkeypatch.delenv("RUNNERKIT_SETTINGS", raising=False)
    typed = command_line.settings_of({"url": "g", "image": "Own:1"})
    with pytest.raises(
        KitError, match=r"(?s)the command line: 2 mistakes.*--url: .*--image: 'Own:1'"
    ):
        load(command_line=typed)


@pytest.mark.parametrize(
    "data",
    [b"\x7fELF\x02\x00", b"\x00", b'a = "\xff"', '\ufeffa = "b"'.encode("utf-16-le")],
)
def test_a_file_that_is_no_text_is_told_as_that(tmp_path: Path, data: bytes) -> None:
    (file := tmp_path / "runnerkit.toml").write_bytes(data)
    with pytest.raises(KitError, match="is no settings file: it is not text in UTF-8") as caught:
        load(file)
    assert "RUNNERKIT_SETTINGS" in caught.value.fix
