"""What goes for ever is asked for first, by whoever sees what goes."""

import io

import pytest

from runnerkit.errors import KitError
from runnerkit.fleet.clearing.remove import Removed
from runnerkit.fleet.run import Outcome
from runnerkit.plan import Script
from runnerkit.report.remove import agreed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def outcomes(*names: str) -> list[Outcome[Removed]]:
    result = Removed((Script("remove \x1b[2Jall", ""),), ("Docker stays: theirs",))
    return [Outcome(name, result) for name in names]


@pytest.mark.parametrize(
    ("typed", "names", "goes"),
    [
        ("yes\n", ["ci1"], True),
        ("ci1\n", ["ci1"], True),
        ("yes\n", ["ci1", "ci2"], True),
        ("ci1\n", ["ci1", "ci2"], False),  # one name is not all of them
        ("y\n", ["ci1"], False),
        ("\n", ["ci1"], False),
        ("", ["ci1"], False),
        ("ci2\n", ["ci1"], False),
    ],
)
def test_only_yes_or_the_host_s_name_lets_it_go(
    typed: str,
    names: list[str],
    goes: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    if goes:
        agreed(False)(outcomes(*names))
    else:
        with pytest.raises(KitError, match="nothing was removed"):
            agreed(False)(outcomes(*names))
    shown = capsys.readouterr().err
    assert "Docker stays: theirs" in shown
    assert all(f"{name}: 1 to change" in shown for name in names)
    assert "\x1b" not in shown


def test_without_a_terminal_nothing_goes_unless_it_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(KitError, match="there is no terminal"):
        agreed(False)(outcomes("ci1"))
    agreed(True)(outcomes("ci1"))
