"""A host with what a machine made from the golden image has, and what is asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from docker.models.containers import Container

from runnerkit import converge, resolve
from runnerkit.converge import GOLDEN, Step
from runnerkit.fleet.host import Host as Written
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh.connection import connection
from runnerkit.settings.load import load
from runnerkit.want import Want
from sandbox import daemon
from sandbox.golden.pair import PLACES
from sandbox.world import BlankHost
from tests.hosts.kit import CONFIG, Kit

UNIT = "runnerkit-first-boot.service"
STATE = f"systemctl show -p ActiveState --value {UNIT}"
MANAGER = "docker ps -q --filter name=gitlab-runner | grep -q ."
FORGET = f"""systemctl stop {UNIT} runnerkit-leave.service
systemctl -q disable runnerkit-leave.service
docker rm -f gitlab-runner
rm -rf /etc/runnerkit /run/runnerkit* /run/credstore /srv/gitlab-runner /var/lib/cloud /run/cloud-init
systemctl reset-failed
journalctl -q --rotate; journalctl -q --vacuum-time=1s; :"""


@dataclass
class Golden:
    """One host. `run` and what builds on it go by the machine's console, as it were."""

    kit: Kit
    host: BlankHost

    @property
    def want(self) -> Want:
        read = load(self.kit.folder / "runnerkit.toml")
        return resolve.of_host(read, self.host.name)

    def bake(self, steps: Sequence[Step] = GOLDEN) -> list[str]:
        """The kit's own provisioning; what it did."""
        known, key = str(self.kit.world.state / "known_hosts"), str(self.host.key)
        machine = Machine(connection(f"root@{self.host.address}", key, known, False))
        written = Written(machine, None, lambda _: None)
        try:
            converge.apply(written, self.want, steps)
        finally:
            written.close()
        return [change.title for change in written.changes]

    @property
    def container(self) -> Container:
        name = self.kit.world.names.container(f"host-{self.host.name}")
        return daemon.running().containers.get(name)

    def run(self, script: str, check: bool = True) -> str:
        """What a script prints."""
        code, output = self.container.exec_run(["sh", "-c", script])
        assert isinstance(output, bytes)
        out = output.decode()
        assert not check or code == 0, out
        return out

    def forget(self) -> None:
        """As it was baked."""
        self.run(FORGET)

    def boot(self) -> None:
        """What systemd does with the unit at a start."""
        self.run(f"systemctl restart --no-block {UNIT}")

    def off(self, how: str = "poweroff") -> None:
        """Shut down, and wait until it is."""
        self.run(f"systemctl --no-block {how}")
        self.container.wait(timeout=90)

    def on(self) -> None:
        """Switch it on, and wait until it has booted."""
        self.container.start()
        self.until("systemctl is-system-running | grep -qE 'running|degraded'")

    def write(self, path: str, text: str, mode: str = "600") -> None:
        """As cloud-init does: made, filled, then given its mode."""
        folder = path.rpartition("/")[0]
        self.run(f"mkdir -p {folder}; printf '%s\\n' '{text}' >{path}; chmod {mode} {path}")

    def until(self, test: str, seconds: int = 60) -> None:
        """Wait until a command of the host succeeds."""
        loop = f"until {test}; do [ $(date +%s) -lt $end ] || exit 1; sleep 0.1; done"
        output = self.run(f"end=$(($(date +%s) + {seconds})); {loop}; echo reached", check=False)
        assert output.endswith("reached\n"), f"{output}\n{self.log}"

    def until_said(self, words: str, seconds: int = 60) -> None:
        """Wait until the unit's program has said so; what it says may be on its way to the journal."""
        grep = f"journalctl -u {UNIT} -o cat | grep -qF '{words}'"
        self.until(f"{{ journalctl --sync; {grep}; }}", seconds)

    def online(self) -> None:
        """Wait until the manager runs and the unit is done."""
        self.until(MANAGER)
        assert self.ended() == "inactive", self.log

    def ended(self) -> str:
        """How the unit ended: inactive or failed."""
        self.until(f"{STATE} | grep -qE '^(inactive|failed)$'")
        return self.run(STATE).strip()

    @property
    def log(self) -> str:
        """All of it: what a program said last may be on its way when it has ended."""
        return self.run(f"journalctl --sync; journalctl -u {UNIT} -o cat --no-pager", check=False)

    @property
    def entries(self) -> int:
        """How many runners config.toml has."""
        return self.run(f"cat {CONFIG}; :").count("[[runners]]")

    @property
    def system_id(self) -> str:
        return self.run("cat /srv/gitlab-runner/config/.runner_system_id").strip()

    @property
    def manager_exists(self) -> bool:
        return self.run("docker ps -aq --filter name=gitlab-runner") != ""

    def holding(self, token: str) -> list[str]:
        """The files that hold a token."""
        return self.run(f"grep -rlaF -e {token} {PLACES} 2>/dev/null; :").split()
