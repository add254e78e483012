"""ssh's settings, as ssh itself reads them: compared with it, hop by hop."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.machine.ssh.hop import Hop, SshSettings

# Writes down where each ssh that ssh calls would log in, and goes on as long as there are jump hosts.
WRAPPER = """#!/bin/bash
out=$(/usr/bin/ssh -G "$@" 2>/dev/null) || exit
awk '/^(hostname|user|port|proxycommand) /{$1="";printf "%s", $0} END {print ""}' <<<"$out" >>LOG
grep -q '^proxyjump ' <<<"$out" && exec -a "$0" /usr/bin/ssh "$@"
"""
JUMPS = "Host t\n  ProxyJump "
ROWS = {
    "two jump hosts": f"{JUMPS} a@hop1,b@hop2:2222",
    "three": f"{JUMPS} hop1,hop2,hop3:23",
    "a comment behind a host": "Host t # note\n  User u # another\n  ProxyJump hop1 # and more",
    "equals signs and quotes": 'Host=t\n  User="u"\n  Port = 2200\n  ProxyJump=a@hop1',
    "small and capital letters": "hOST t\n\tuSER u\n\tproxyJUMP hop1",
    "none under all": "Host t\n  User u\nHost *\n  ProxyJump none",
    "none before all": "Host hop1\n  ProxyJump none\nHost *\n  ProxyJump hop1",
    "not through itself": "Host * !hop1\n  ProxyJump hop1",
    "none, in capital letters": "Host t\n  ProxyJump NONE",
    "brackets": f"{JUMPS} [2001:db8::1]:22",
    "brackets and a user": f"{JUMPS} me@[2001:db8::1]:2222,hop2",
    "a URI": f"{JUMPS} ssh://me@hop1:2222",
    "match final": "Match final all\n  User last\nHost t\n  ProxyJump hop1",
    "match final host": 'Host t\n  HostName real\nMatch final host real\n  Port 99',
    "match exec": 'Match exec "test %h = t"\n  User run\n  ProxyJump hop1',
    "match exec that fails": 'Match exec "false"\n  User run',
    "match of the original host": "Host t\n  HostName real\nMatch originalhost t\n  Port 77",
    "match user": "Match user root\n  Port 78\nMatch host hop1 user a\n  Port 79\n" + f"{JUMPS} a@hop1",
    "a jump host of the jump host": f"{JUMPS} hop2\nHost hop2\n  ProxyJump a@hop1:2222",
    "only the first one's own jump host": f"{JUMPS} hop1,hop2\nHost hop2\n ProxyJump no\nHost hop1\n ProxyJump hop0",
    "aliases on the way": f"{JUMPS} b\nHost b\n  HostName 10.0.0.9\n  User me\n  Port 2022",
    "what is given beats the settings": f"{JUMPS} x@b:1\nHost b\n  User me\n  Port 2022",
    "the first value counts": "Host t\n  Port 1\nHost t\n  Port 2\nHost *\n  Port 3\n  User u",
    "patterns": "Host ?\n  User q\nHost x* t*\n  Port 5\nHost t* !t\n  Port 6",
    "tokens in HostName": "Host t\n  HostName %h.example.com\n  ProxyJump hop1",
    "tokens in ProxyJump": "Host t\n  HostName real\n  User u\n  ProxyJump %r@gate-%h,%n",
    "ProxyCommand": "Host t\n  HostName real\n  ProxyCommand nc %h %p # %n %%",
    "ProxyCommand none": "Host t\n  ProxyCommand none\nHost *\n  ProxyCommand nc",
    "ProxyJump before ProxyCommand": "Host t\n ProxyJump hop1\nHost t\n ProxyCommand nc",
    "ProxyCommand before ProxyJump": "Host t\n ProxyCommand nc\nHost t\n ProxyJump hop1",
    "ProxyCommand of a jump host": f"{JUMPS} hop1\nHost hop1\n  HostName real\n  ProxyCommand connect %h %p",
    "included": "Include more/*\nHost t\n  Port 1",
    "included within a host": "Host x\n  Include more/*\nHost t\n  Port 1",
    "canonical names": "CanonicalizeHostname no\nHost t\n  ProxyJump hop1",
    "nothing": "",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with ssh's settings to come."""
    (tmp_path / ".ssh" / "more").mkdir(parents=True)
    (tmp_path / ".ssh" / "more" / "one").write_text("User included\nHost *\n  Port 7\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str) -> Path:
    file = home / ".ssh" / "config"
    # An Include is relative to the account's own folder, which a test leaves alone.
    file.write_text(text.replace("Include more", f"Include {home}/.ssh/more") + "\n")
    return file


def way(hop: Hop | None) -> list[str]:
    """The hops from the host back to the first."""
    if hop is None:
        return []
    return [f"{hop.user} {hop.host} {hop.port} {hop.command}".strip(), *way(hop.via)]


def way_of_ssh(home: Path, *words: str) -> list[str]:
    """The same as ssh itself goes."""
    wrapper, log = home / "ssh", home / "log"
    wrapper.write_text(WRAPPER.replace("LOG", str(log)))
    wrapper.chmod(0o755)
    settings = str(home / ".ssh" / "config")
    subprocess.run([wrapper, "-F", settings, *words], check=False, capture_output=True, timeout=60)
    return [line.strip() for line in log.read_text().splitlines()]


@pytest.mark.parametrize("text", ROWS.values(), ids=ROWS)
def test_the_way_is_the_one_that_ssh_goes(home: Path, text: str) -> None:
    write(home, text)
    ours = way(SshSettings().hop("t"))
    theirs = way_of_ssh(home, "t")
    for tokens in (("%h", "real"), ("%p", "22"), ("%n", "t"), ("%%", "%")):
        theirs = [line.replace(*tokens) for line in theirs]  # ssh -G leaves a command's as they are
    assert ours == theirs


REFUSED = {
    "a word that ssh does not know": ("Host t\n  nonsense\n", "config line 2", "correct that line"),
    "no value": ("Host t\n\n  Port\n", "config line 3", "correct that line"),
    "a port that is none": ("Port x\n", "config line 1: Bad port 'x'", "correct that line"),
    "quotes that do not end": ('Host "t\n', "config line 1", "correct that line"),
    "a match without an end": ("Match exec\n", "config line 1", "correct that line"),
    "a jump host in quotes": ('ProxyJump "hop1"\n', "invalid characters", "[user@]address"),
    "an included one": ("Include bad/*\n", "bad/one: line 1", "correct that line"),
    "through itself": ("ProxyJump t\n", "jumphost loop via t", "ProxyJump none under a Host t"),
    "through each other": (
        "Host t\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a",
        "in a circle: t → a → b → a",
        "ProxyJump none",
    ),
    "further and further": ("ProxyJump x%h\n", "in a circle", "ProxyJump none"),
    "a token that ssh does not know": ("ProxyCommand nc %z\n", "no %z in nc %z", "%%"),
    "a file descriptor": ("ProxyCommand x\nProxyUseFdpass yes\n", "ProxyUseFdpass", "plain"),
}


@pytest.mark.parametrize(("text", "what", "fix"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_told_with_its_place(
    home: Path, text: str, what: str, fix: str
) -> None:
    (home / ".ssh" / "bad").mkdir()
    (home / ".ssh" / "bad" / "one").write_text("no no\n")
    write(home, text.replace("bad/*", f"{home}/.ssh/bad/*"))
    with pytest.raises(KitError) as error:
        SshSettings().hop("t")
    assert what in error.value.what
    assert fix in error.value.fix


def test_what_the_target_says_goes_before_the_settings(home: Path) -> None:
    write(home, "Host t\n  HostName real\n  User u\n  Port 1\nMatch user me\n  HostKeyAlias mine")
    hop = SshSettings().hop("me@t:2")
    assert (hop.where, hop.known_as) == ("me@real:2", "mine")
    assert SshSettings().hop("[2001:db8::1]:22").host == "2001:db8::1"
    assert SshSettings().hop("me@2001:db8::1").where == "me@2001:db8::1:22"


def test_paths_are_expanded_as_ssh_does(home: Path) -> None:
    write(
        home,
        "Host t\n  User u\n  IdentityFile ~/.ssh/%r@%h\n  IdentityFile %d/key\n"
        '  CertificateFile "~/a b"\n  UserKnownHostsFile "~/my hosts" /tmp/%k\n  HostKeyAlias as',
    )
    hop = SshSettings().hop("t")
    assert hop.keys == (f"{home}/.ssh/u@t", f"{home}/key")
    assert hop.certificates == (f"{home}/a b",)
    assert hop.known_hosts[:2] == (f"{home}/my hosts", "/tmp/as")
    assert hop.new_keys == f"{home}/my hosts"


@pytest.mark.parametrize(
    ("value", "socket"),
    [
        ("none", ""),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("$OTHER", "/run/other"),
        ("$UNSET", ""),
        ("~/a.sock", "HOME/a.sock"),
        ('"${OTHER}"', "/run/other"),
    ],
)
def test_the_agent_is_the_one_that_the_settings_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str, socket: str
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    monkeypatch.setenv("OTHER", "/run/other")
    write(home, f"Host t\n  IdentityAgent {value}")
    assert SshSettings().hop("t").agent == socket.replace("HOME", str(home))
    assert SshSettings().hop("other").agent == "/run/agent"


@pytest.mark.parametrize(("value", "limit"), [("7", 7), ("1m", 60), ("0", 15), ("none", 15)])
def test_the_limit_to_connect_is_that_of_the_settings(home: Path, value: str, limit: int) -> None:
    write(home, f"Host t\n  ConnectTimeout {value}")
    assert SshSettings().hop("t").timeout == limit


def test_an_identity_of_ours_comes_first(home: Path) -> None:
    write(home, "Host t\n  IdentityFile /etc/key\n  IdentitiesOnly yes")
    hop = SshSettings().hop("t", "/50%/key")
    assert (hop.identity, hop.keys, hop.only_keys) == ("/50%/key", ("/50%/key", "/etc/key"), True)


def test_without_ssh_nothing_is_guessed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    monkeypatch.setattr("runnerkit.machine.ssh.hop.SYSTEM", home / "none")
    file = write(home, "# nothing yet\n\n")
    hop = SshSettings().hop("me@10.0.0.1:2200")
    assert (hop.where, hop.new_keys) == ("me@10.0.0.1:2200", f"{home}/.ssh/known_hosts")
    file.write_text("Host other\n  Port 1\n")
    with pytest.raises(KitError, match=f"no ssh on this machine to read {file}"):
        SshSettings().hop("me@10.0.0.1:2200")


def test_each_hop_is_asked_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, f'Match exec "echo %n >>{home}/asked"\nHost t*\n  ProxyJump hop1')
    shared = SshSettings()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shared.hop, [f"t{number}" for number in range(8)]))
    assert (home / "asked").read_text().split().count("hop1") == 1
