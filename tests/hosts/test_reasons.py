"""A host with a reason of its own: that reason is told, and the fix is about it."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.hosts.refusals import assert_error, changed, refused

SUDOERS = "/etc/sudoers.d/reason"
SHELL = "chsh -s /bin/bash ops"

# Who logs in; what is done to the host and undone; what the error says, and its fix.
LOGINS = {
    "sudo wants a terminal": (
        "ops", f"echo 'Defaults requiretty' >{SUDOERS}", f"rm {SUDOERS}",
        "sudo on the host wants a terminal", "!requiretty",
    ),
    "sudo has lost its bit": (
        "ops", "chmod u-s /usr/bin/sudo", "chmod u+s /usr/bin/sudo",
        "sudo on the host cannot become root", "chmod 4755",
    ),
    "sudo's account has expired": (
        "ops", "echo 'account required pam_exec.so /bin/false' >/var/tmp/pam; cp -p /etc/pam.d/sudo "
        "/var/tmp/sudo; cat /var/tmp/sudo >>/var/tmp/pam; cp /var/tmp/pam /etc/pam.d/sudo",
        "cp -p /var/tmp/sudo /etc/pam.d/sudo", "account or password has expired", "chage -l",
    ),
    "a password that has expired": (
        "ops", "echo ops:old | chpasswd; chage -d 0 ops", "chage -d 20000 ops",
        "Your password has expired", "log in there by hand once",
    ),
    "an account without a shell": (
        "ops", "chsh -s /usr/sbin/nologin ops", SHELL,
        "This account is currently not available", "this user has no shell",
    ),
    "a shell that is none": (
        "ops", "chsh -s /bin/false ops", SHELL, "looking at the host failed", "not /bin/false",
    ),
    "a shell that lectures": (
        "mallory", f"echo 'Defaults lecture=always' >{SUDOERS}", f"rm {SUDOERS}",
        "sudo on the host wants a password", "RUNNERKIT_SUDO_PASSWORD",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def box(world: World) -> Iterator[BlankHost]:
    """A host with Docker and nothing else that no test here changes."""
    yield world.host("reasons", "docker")
    world.remove("reasons")


@pytest.mark.parametrize("what", LOGINS)
def test_who_logs_in_and_comes_no_further_is_told_why(kit: Kit, box: BlankHost, what: str) -> None:
    user, do, undo, output, fix = LOGINS[what]
    kit.settings(box, user=user)
    kit.new_token()
    with changed(kit, box, do, undo):
        refused(kit, box, output, fix=fix)


def test_a_full_run_is_not_taken_for_a_host_without_docker(kit: Kit, box: BlankHost) -> None:
    kit.settings(box)
    kit.new_token()
    full = "used=$(du -sk /run | cut -f1); mount -o remount,size=$((used + 4))k /run; "
    full += "head -c 1000000 /dev/zero >/run/full || :"
    with changed(kit, box, full, "rm /run/full; mount -o remount,size=50% /run"):
        refused(kit, box, "No space left on device", fix="make room")


def test_what_dockerd_says_when_it_does_not_start_is_told(kit: Kit, box: BlankHost) -> None:
    kit.settings(box, docker={"registry_mirrors": []})
    kit.new_token()
    stop = "systemctl stop docker.socket docker; echo '{\"nonsense\": 1}' >/etc/docker/daemon.json"
    start = "rm /etc/docker/daemon.json; systemctl reset-failed docker; systemctl start docker"
    with changed(kit, box, stop, start):
        ran = kit.run("bootstrap", "--host", "all")
    error = assert_error(kit, ran, fix="correct /etc/docker/daemon.json")
    assert "unable to configure the Docker daemon" in error
    assert "nonsense" in error


@pytest.mark.long
def test_a_folder_that_is_read_only_is_the_reason(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.settings(host)
    kit.new_token()
    with changed(kit, host, "mount -t tmpfs -o ro none /srv", "umount /srv"):
        ran = kit.run("bootstrap", "--host", "all")
    assert "Read-only file system" in assert_error(kit, ran, fix="mount that file system")
    kit.bootstrap()
    with changed(kit, host, "mount -t tmpfs -o ro none /tmp", "umount /tmp"):
        ran = kit.run("bootstrap", "--host", "all")
    assert "read-only file system" in assert_error(kit, ran, fix="mount that file system")
