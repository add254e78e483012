"""The budgets, as ratios in one run on one machine: `nox -s bench` prints the figures."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.world import BlankHost
from tests.bench.far import far
from tests.hosts.conftest import Blank, blank, kit, world
from tests.hosts.kit import Kit, Ran
from tests.hosts.test_jump_hosts import Sshd, behind, box, reach

__all__ = ["blank", "box", "kit", "reach", "world"]
RECIPE = Path(__file__).parent / "recipe.sh"
REPLAY = Path(__file__).parent / "replay.sh"


def seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def paired(one: Callable[[], object], other: Callable[[], object], runs: int = 7) -> float:
    """Print the medians of two things done in turn, and return the median ratio."""
    one(), other()
    pairs = [(seconds(one), seconds(other)) for _ in range(runs)]
    ratio = statistics.median(a / b for a, b in pairs)
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    print(f"\n  medians of {runs}: {medians[0]:.3f} s, {medians[1]:.3f} s; ratio {ratio:.2f}")
    return ratio


def test_a_converged_host_against_a_bare_ssh(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.settings(host)
    kit.new_token()
    kit.bootstrap()
    assert paired(kit.bootstrap, lambda: kit.ssh(host, "true")) < 4.5


def test_fifty_hosts_behind_one_jump_host_against_one(
    kit: Kit, box: BlankHost, reach: Callable[..., None]
) -> None:
    inner = Sshd(kit, box, "MaxStartups=1000")  # as fifty machines have it together
    text, names = behind(Sshd(kit, box, "MaxSessions=0"), 50, inner.port)
    reach(text, *names)
    assert paired(kit.plan, lambda: kit.plan("in0"), 3) < 6
    assert not [one["error"] for one in kit.plan().hosts.values() if one["error"]]


def test_twenty_converged_hosts_against_one(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    twenty = [BlankHost(f"h{n}", host.address, host.kind, host.key) for n in range(20)]
    kit.settings(host, *twenty)
    kit.new_token()
    kit.bootstrap(host.name)
    ratio = paired(lambda: kit.plan("h*"), lambda: kit.plan(host.name), runs=3)
    assert ratio < 20


def test_the_status_of_twenty_hosts_against_one(kit: Kit, blank: Blank) -> None:
    """All are far away, and are played by an sshd of a real one: it lets each in for real, reads the
    question, and sends what that host answered once in this run, as long after it came as that had
    taken; with the real one it is compared first. Twenty machines would work side by side: one that did
    the work of twenty at once would be what is measured, not the kit."""
    host = blank("docker")
    kit.settings(host)
    kit.new_token()
    kit.bootstrap()
    kit.ssh(host, f"cat >/root/replay <<'END'\n{REPLAY.read_text()}END\nchmod +x /root/replay")
    sshd = Sshd(kit, host, "MaxStartups=1000", "ForceCommand=/root/replay")
    with far(host.address, 0.1) as real, far(host.address, 0.1, sshd.port) as played:
        keys = (kit.world.state / "known_hosts").read_text().splitlines()
        key = next(line.split(maxsplit=1)[1] for line in keys if line.split()[0] == host.address)
        known = kit.folder / "known_hosts"
        known.write_text("".join(f"[127.0.0.1]:{port} {key}\n" for port in (real, played)))
        ports = {"one": real} | {f"h{n}": played for n in range(20)}
        place = {"identity": str(host.key)}
        hosts = {name: {**place, "address": f"root@127.0.0.1:{at}"} for name, at in ports.items()}
        kit.settings(hosts=hosts, ssh={"known_hosts": str(known)})

        def status(names: str) -> Callable[[], Ran]:
            return lambda: kit.run("status", "--host", names, "--json")

        first = status("one")().hosts["one"], status("h1")().hosts["h1"]
        print(f"\n  a look took {float(kit.ssh(host, 'cat /root/took')):.2f} s on the host")
        likeness = paired(status("h1"), status("one"), 3)
        ratio = paired(status("h*"), status("h1"), 3)
        twenty = status("h*")().hosts.values()
    assert [one["error"] for one in (*first, *twenty)] == [None] * 22
    assert likeness > 0.75, "who plays is not quicker than who is played"
    assert ratio < 3


def test_the_menu(kit: Kit) -> None:
    took = statistics.median(seconds(lambda: kit.run("--list")) for _ in range(7))
    print(f"\n  invoke --list: median of 7: {took:.3f} s")
    assert took < 0.7


def test_a_blank_host_against_the_recipe(kit: Kit, blank: Blank) -> None:
    by_hand, by_kit = [], []
    for _ in range(2):
        host = blank("systemd")
        token = kit.new_token()
        head = f"MIRROR={kit.world.mirror_url}\nIMAGE={kit.world.runner_image}\nURL={kit.world.gitlab_url}\nTOKEN={token}\n"
        by_hand.append(seconds(lambda: kit.ssh(host, head + RECIPE.read_text())))  # noqa: B023
        kit.world.remove(host.name)
        host = blank("systemd")
        kit.settings(host)
        kit.new_token()
        by_kit.append(seconds(kit.bootstrap))
        kit.world.remove(host.name)
    print(f"\n  recipe {by_hand}, bootstrap {by_kit}; ratio {min(by_kit) / min(by_hand):.2f}")
    assert min(by_kit) < 1.5 * min(by_hand)
