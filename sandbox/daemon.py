"""Docker on this machine: use the one that runs, or install and start one."""

import grp
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import docker
import docker.errors

from sandbox.errors import SandboxError
from sandbox.names import LABEL

PATIENCE = 30.0  # seconds for a dockerd to come up or go down
SLOWEST = 600  # seconds for one answer of the engine: it may be importing an image
SYSTEMD = Path("/run/systemd/system")
UNITS = ("docker.service", "docker.socket")


def connect() -> docker.DockerClient | None:
    """The engine of this machine, if it answers."""
    try:
        return docker.from_env(timeout=SLOWEST)
    except docker.errors.DockerException as error:
        if "PermissionError" in str(error):
            raise SandboxError(
                "Docker runs on this machine, but this user may not use it",
                "run it with sudo, or `sudo usermod -aG docker $USER` and log in again",
            ) from error
        return None


def running() -> docker.DockerClient:
    """The engine of this machine, which must answer."""
    if client := connect():
        return client
    raise SandboxError("Docker does not answer on this machine", "`./inv sandbox.up` first")


def ensure(state: Path, say: Callable[[str], None]) -> docker.DockerClient:
    """The engine of this machine, installed and started where needed."""
    if client := connect():
        return client
    if os.environ.get("DOCKER_HOST"):
        raise SandboxError(
            f"no Docker answers at DOCKER_HOST={os.environ['DOCKER_HOST']}",
            "unset DOCKER_HOST: the sandbox wants the Docker of this machine",
        )
    if not _program():
        _install(say)
        if client := connect():
            return client
    return _start(state, say)


def root(doing: str, *argv: str) -> None:
    """Run a program as root; its failure ends the run with its last words."""
    sudo = () if os.geteuid() == 0 else ("sudo",)
    ran = subprocess.run([*sudo, *argv], text=True, stderr=subprocess.PIPE, check=False)
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["nothing on stderr"])[-1]
        raise SandboxError(
            f"{doing}: {argv[0]} ended with exit code {ran.returncode}: {last}",
            "put that right, then run it again",
        )


def packages(say: Callable[[str], None], *names: str) -> None:
    """Install packages of the distribution on this machine."""
    if not shutil.which("apt-get"):
        raise SandboxError(
            f"the sandbox needs {', '.join(names)}, and installs it on Debian and Ubuntu only",
            f"install {', '.join(names)} with this machine's package manager, then run it again",
        )
    say(f"installing on this machine: {', '.join(names)}")
    quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o")
    root("update the package index", *quiet, "DPkg::Lock::Timeout=120", "update")
    get = (*quiet, "DPkg::Lock::Timeout=120", "install", "--yes", "--no-install-recommends")
    root(f"install {', '.join(names)}", "sh", "-c", '"$@" > /dev/null', "sh", *get, *names)


def _program() -> str | None:
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _install(say: Callable[[str], None]) -> None:
    confined = Path("/sys/module/apparmor").exists()
    # Without its parser on a kernel that confines, dockerd starts and every container fails.
    packages(say, "docker.io", *(["apparmor"] if confined else []))


def _start(state: Path, say: Callable[[str], None]) -> docker.DockerClient:
    if SYSTEMD.is_dir():
        say("starting the docker service of this machine")
        root("start Docker", "systemctl", "start", "docker.service")
        (state / "dockerd.unit").touch()
        logs = "journalctl -u docker"
    else:
        say("starting dockerd on this machine")
        script = '"$1" --pidfile "$2" --group "$3" > "$4" 2>&1 < /dev/null &'
        group, log = grp.getgrgid(os.getgid()).gr_name, str(state / "dockerd.log")
        argv = (_program() or "dockerd", str(state / "dockerd.pid"), group, log)
        root("start dockerd", "setsid", "sh", "-c", script, "sh", *argv)
        logs = f"tail {log}"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if client := connect():
            return client
        time.sleep(0.1)
    raise SandboxError(f"Docker does not answer after {PATIENCE:.0f} s", f"look at `{logs}`")


def stop(client: docker.DockerClient, state: Path, say: Callable[[str], None]) -> None:
    """Stop the Docker that `ensure` started, unless others have come to rely on it."""
    pidfile, unit = state / "dockerd.pid", state / "dockerd.unit"
    if not (pidfile.exists() or unit.exists()):
        return
    if others := client.containers.list(ignore_removed=True):
        named = ", ".join(str(container.name) for container in others[:3])
        say(f"Docker on this machine keeps running: other containers need it ({named})")
    elif unit.exists():
        say("stopping the docker service of this machine")
        root("stop Docker", "systemctl", "stop", *UNITS)
    elif _is_dockerd(pid := pidfile.read_text().strip()):
        say("stopping dockerd on this machine")
        root("stop dockerd", "sh", "-c", 'kill "$1"', "sh", pid)
        deadline = time.monotonic() + PATIENCE
        while _is_dockerd(pid) and time.monotonic() < deadline:
            time.sleep(0.1)


def _is_dockerd(pid: str) -> bool:
    name = Path("/proc", pid, "comm")
    return name.exists() and name.read_text().strip() == "dockerd"


def sandboxes(client: docker.DockerClient) -> set[str]:
    """The names of the sandboxes that have a container on this machine."""
    containers = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
    return {str(container.labels[LABEL]) for container in containers}
