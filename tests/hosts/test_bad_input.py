"""Whatever is wrong before a host is touched is told in one line, with what to do in another."""

import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import keys
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.refusals import changed, refused


@pytest.fixture(scope="module")
def box(world: World) -> Iterator[BlankHost]:
    """A host with Docker that no test here changes."""
    yield world.host("badbox", "docker")
    world.remove("badbox")


@pytest.fixture
def ready(kit: Kit, box: BlankHost) -> Kit:
    """Settings and a token with which a run would succeed."""
    kit.settings(box)
    kit.new_token("bad input")
    return kit


def reached_as(kit: Kit, box: BlankHost, **host: Any) -> None:
    kit.settings(box, hosts={box.name: host})


WAYS: dict[str, tuple[dict[str, str], str, str]] = {
    "no such host": ({"address": "root@nosuch.invalid"}, "nosuch.invalid:22: no such host", "DNS"),
    "port closed": ({"address": "root@ADDRESS:1"}, "root@ADDRESS:1: cannot connect", "sshd"),
    "wrong user": ({"address": "nosuch@ADDRESS"}, "nosuch@ADDRESS:22: the host refuses", "user"),
    "no shell": ({"address": "nobody@ADDRESS"}, "looking at the host failed: exit code 1", "POSIX"),
    "wrong key": ({"identity": "FOLDER/other"}, "root@ADDRESS:22: the host refuses", "key"),
    "no key file": ({"identity": "FOLDER/none"}, "no key file FOLDER/none", "identity"),
    "a key with a passphrase": ({"identity": "FOLDER/locked"}, "has a passphrase", "ssh-add"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_host_that_cannot_be_logged_in_to(ready: Kit, box: BlankHost, way: str) -> None:
    def real(text: str) -> str:
        return text.replace("ADDRESS", box.address).replace("FOLDER", str(ready.folder))

    host, output, fix = WAYS[way]
    keys.write(ready.folder / "other", keys.keypair()[0])
    lock = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "sesame", "-f", str(ready.folder / "locked")]
    subprocess.run(lock, check=True)
    reached_as(ready, box, **{key: real(value) for key, value in host.items()})
    assert real(output) in refused(ready, box, box.name, fix=fix)


def test_an_unknown_host_key_is_shown_and_accepted_only_on_demand(
    ready: Kit, box: BlankHost
) -> None:
    known = ready.folder / "known"
    known.write_text(
        f"other.example.com {keys.keypair()[1]}"
    )  # as an editor may leave it: no newline
    ready.settings(box, ssh={"known_hosts": str(known)})
    shown = ready.ssh(box, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    refused(ready, box, shown, fix="--accept-new-host-keys")
    assert box.address not in known.read_text()

    assert ready.run("plan", "--host", "all", "--accept-new-host-keys").code == 2
    assert ready.plan().code == 2  # remembered
    listed = subprocess.run(
        ["ssh-keygen", "-lF", box.address, "-f", known], capture_output=True, text=True, check=True
    )
    assert shown in listed.stdout


def test_a_known_hosts_file_with_a_broken_line(ready: Kit, box: BlankHost) -> None:
    known = ready.folder / "known"
    known.write_text("other.example.com ssh-ed25519 A\n")
    ready.settings(box, ssh={"known_hosts": str(known)})
    refused(ready, box, f"{known}: not a host key: other.example.com", fix="mend that line")


def test_a_changed_host_key_is_refused_even_where_new_ones_are_accepted(
    ready: Kit, box: BlankHost
) -> None:
    known = ready.folder / "known"
    known.write_text(f"{box.address} {keys.keypair()[1]}\n")
    ready.settings(box, ssh={"known_hosts": str(known)})
    shown = ready.ssh(box, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    output, typed = ("the host key has changed", shown), ("--accept-new-host-keys",)
    refused(ready, box, *output, typed=typed, fix=f"ssh-keygen -R '{box.address}'")


SUDO = "RUNNERKIT_SUDO_PASSWORD"


def test_sudo_that_wants_a_password(ready: Kit, box: BlankHost) -> None:
    reached_as(ready, box, address=f"carol@{box.address}")
    refused(ready, box, "wants a password, and none is given", fix=SUDO)
    ready.env[SUDO] = "not-the-one"
    refused(ready, box, f"carol@{box.address}:22: sudo refuses the password", fix=SUDO)
    ready.env[SUDO] = ready.world.sudo_password
    assert ready.plan().code == 2


def test_sudo_that_is_refused(ready: Kit, box: BlankHost) -> None:
    reached_as(ready, box, address=f"mallory@{box.address}")
    refused(ready, box, "wants a password", fix=SUDO)  # without one, sudo does not say more
    with changed(ready, box, "echo mallory:sesame | chpasswd", "passwd -d mallory >/dev/null"):
        ready.env[SUDO] = "sesame"
        output = f"mallory@{box.address}:22: sudo is refused to this user"
        refused(ready, box, output, fix="log in as another user")


def test_no_sudo_at_all(ready: Kit, box: BlankHost) -> None:
    reached_as(ready, box, address=f"ops@{box.address}")
    with changed(ready, box, "mv /usr/bin/sudo /root/", "mv /root/sudo /usr/bin/"):
        refused(ready, box, "there is no sudo on the host", fix="install sudo")


TOKENS: dict[str, tuple[str, str, str, str]] = {
    "a personal one to register": ("RUNNER_TOKEN", "glpat-", "personal access token", "by its own"),
    "a registration token as the runner's": ("RUNNER_TOKEN", "GR1348941", "registration", "by its own"),
    "a trigger's": ("RUNNER_TOKEN", "glptt-", "trigger token", "by its own"),
    "two in one": ("RUNNER_TOKEN", "glrt-x glrt-", "has a space", "copy it again"),
    "a runner's for the API": ("GITLAB_TOKEN", "glrt-", "a runner's own token", "by its own"),
    "a registration token for the API": ("GITLAB_TOKEN", "GR1348941", "registration", "by its own"),
    "a runner's for the old way": ("REGISTRATION_TOKEN", "glrt-", "a runner's own", "by its own"),
    "a personal one for the old way": ("REGISTRATION_TOKEN", "glpat-", "personal", "by its own"),
    "a wrong runner's": ("RUNNER_TOKEN", "glrt-", "refuses the runner's token", "create the runner"),
    "a wrong one for the API": ("GITLAB_TOKEN", "glpat-", "is wrong, revoked or expired", "new one"),
    "an expired one": ("GITLAB_TOKEN", "", "is wrong, revoked or expired", "make a new one"),
    "none": ("", "", "no token to register it with", "RUNNER_TOKEN"),
}  # fmt: skip


@pytest.mark.parametrize("what", TOKENS)
def test_a_token_of_the_wrong_kind_or_void(ready: Kit, box: BlankHost, what: str) -> None:
    name, prefix, output, fix = TOKENS[what]
    ready.settings(
        box,
        gitlab={"api_token": {"env": "GITLAB_TOKEN"}},
        runners={"web": {"registration_token": {"env": "REGISTRATION_TOKEN"}}},
    )
    ready.env.clear()
    if name:
        ready.env[name] = f"{prefix}sesame0123456789abcd" if prefix else ready.world.expired_token
    refused(ready, box, output, fix=fix)


def test_gitlab_out_of_reach_of_this_machine(ready: Kit, box: BlankHost) -> None:
    url = f"{ready.world.gitlab_url.rpartition(':')[0]}:1"
    ready.settings(box, gitlab={"url": url, "api_token": {"env": "GITLAB_TOKEN"}})
    ready.env = {"GITLAB_TOKEN": ready.world.api_token}
    refused(ready, box, f"{url} cannot be reached from here", fix="URL, DNS and proxy")


def test_gitlab_out_of_reach_of_the_host(ready: Kit, box: BlankHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ready.settings(box, gitlab={"url": url})
        refused(ready, box, f"GitLab {url} does not answer the host", fix="firewall of the host")
