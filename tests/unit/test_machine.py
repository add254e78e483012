"""What a host's words mean."""

import os
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from invoke.context import Context

from runnerkit.errors import KitError
from runnerkit.files.register import HINTS
from runnerkit.machine import local, sudo
from runnerkit.machine.failure import Failed
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh.connection import _Remote, connection
from runnerkit.machine.streams import Stdin

ASKED = [
    "sudo: a password is required",
    "sudo: interactive authentication is required",  # sudo-rs
    "/etc/sudoers.d/mine:1:10: syntax error\nsudo: a password is required",
]
REFUSED = [
    "Sorry, try again.\nsudo: no password was provided",
    "sudo: 1 incorrect password attempt",
    "sudo: Authentication failed, try again.",
    "sudo: maximum 3 incorrect authentication attempts",
]


@pytest.mark.parametrize("stderr", ASKED)
def test_sudo_that_wants_a_password_is_given_one(stderr: str) -> None:
    assert isinstance(sudo.refusal(stderr, "ci1", has_password=False), sudo.NeedsPassword)


@pytest.mark.parametrize("stderr", REFUSED)
def test_a_password_that_sudo_refuses_is_told(stderr: str) -> None:
    error = sudo.refusal(stderr, "ci1", has_password=True)
    assert error is not None
    assert "refuses the password" in error.what
    assert not isinstance(error, sudo.NeedsPassword)


@pytest.mark.parametrize(
    ("stderr", "what"),
    [
        ("sudo: sorry, you must have a tty to run sudo", "wants a terminal"),
        (
            'sudo: Account expired or PAM config lacks an "account" section for sudo, contact your system '
            "administrator\nsudo: a password is required",
            "has expired",
        ),
        ("sudo: account validation failure, is your account locked?", "has expired"),
        ("sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set", "become root"),
        (
            "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option "
            "set or an NFS file system without root privileges?",
            "become root",
        ),
        (
            'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.',
            "root",
        ),
        ("sudo: no valid sudoers sources found, quitting", "settings on the host are broken"),
        ("ops is not in the sudoers file.", "is refused to this user"),
    ],
)
def test_what_keeps_sudo_from_working_is_told_before_that_it_wants_a_password(
    stderr: str, what: str
) -> None:
    error = sudo.refusal(stderr, "ci1", has_password=False)
    assert error is not None
    assert what in error.what
    assert not isinstance(error, sudo.NeedsPassword)


def test_what_a_script_says_is_not_taken_for_sudo_s_words() -> None:
    stderr = "sudo: unable to resolve host ci1: Name or service not known\nmount: not allowed"
    assert sudo.refusal(stderr, "ci1", has_password=False) is None


def test_a_host_answers_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program := tmp_path / "sudo").write_text('#!/bin/sh\necho "sudo: $LC_ALL" >&2; exit 1\n')
    program.chmod(0o755)
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    with pytest.raises(Failed, match="sudo: C"):
        Machine(local.context()).run("true")


@pytest.mark.parametrize("target", ["ci@h:port", "ci@h:22x"])
def test_a_port_that_is_no_number_is_told(target: str) -> None:
    with pytest.raises(KitError, match=f"the port of {target} is no number"):
        connection(target, "", "/none", False)


@pytest.mark.parametrize(
    ("output", "fix"),
    [
        ("status=POST https://g/api/v4/runners: 410 Gone", "registration tokens switched off"),
        ("Registering runner... forbidden (check registration token)", "refuses the token"),
        ("dial tcp: lookup g: no such host correlation_id=01410a403b", "cannot reach GitLab"),
        ("x509: unknown authority  revision=410aa7b2", "does not trust"),
    ],
)
def test_what_gitlab_answered_is_not_read_out_of_ids(output: str, fix: str) -> None:
    assert fix in next(hint.fix for hint in HINTS if re.search(hint.pattern, output))


def test_a_script_is_handed_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for every 10 ms on each host, more of it would keep a processor busy."""
    reads = []
    read = Stdin.read

    def counted(stdin: Stdin, size: int | None = -1, /) -> str:
        reads.append(size)
        return read(stdin, size)

    monkeypatch.setattr(Stdin, "read", counted)
    assert Machine(local.context()).run("sleep 0.2; echo ok") == "ok\n"
    assert len(reads) == 1


def test_a_command_s_end_is_waited_for() -> None:
    remote = _Remote(Context())
    remote.channel = SimpleNamespace(status_event=threading.Event())
    threading.Timer(0.05, remote.channel.status_event.set).start()
    assert remote.process_is_finished
