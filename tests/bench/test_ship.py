"""5 MB on top of 500 MB, to three hosts, against ``docker save | ssh docker load``."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox.world import BlankHost
from tests.bench.test_budgets import seconds
from tests.hosts.conftest import Blank, blank, kit, world
from tests.hosts.kit import Kit
from tests.hosts.shipping import BUILD, NEW, OLD, REGISTRY, ids, shipped

__all__ = ["blank", "kit", "world"]
RECEIVED = "cat /sys/class/net/eth0/statistics/rx_bytes"


def by_hand(kit: Kit, source: BlankHost, targets: list[BlankHost], image: str) -> None:
    """As people do it, to all hosts at once."""
    ssh = f"ssh -F none -o BatchMode=yes -o UserKnownHostsFile={kit.world.state}/known_hosts"
    save = f"{ssh} -i {source.key} root@{source.address} docker save {image}"

    def one(host: BlankHost) -> None:
        load = f"{ssh} -i {host.key} root@{host.address} docker load -q"
        subprocess.run(f"{save} | {load}", shell=True, check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, targets))


def measured(kit: Kit, what: str, targets: list[BlankHost], work: Callable[[], object]) -> float:
    """Print the seconds, and the bytes that came to each host's network card; the most of these."""
    before = [int(kit.ssh(host, RECEIVED)) for host in targets]
    took = seconds(work)
    moved = [(int(kit.ssh(h, RECEIVED)) - b) / 1e6 for h, b in zip(targets, before, strict=True)]
    print(f"\n  {what}: {took:.1f} s, MB per host: {', '.join(f'{mb:.2f}' for mb in moved)}")
    return max(moved)


def test_five_changed_megabytes_to_three_hosts(kit: Kit, blank: Blank) -> None:
    source, *targets = (blank("docker") for _ in range(4))
    for host in (source, *targets):
        kit.mirrored(host)
    kit.ssh(source, f"docker pull -q {REGISTRY}")
    kit.ssh(source, BUILD.format(OLD, "scratch", 500))
    measured(kit, "all 500 MB, ship", targets, lambda: shipped(kit, source, *targets))
    kit.ssh(source, BUILD.format(NEW, OLD, 5))
    ship = measured(
        kit, "5 MB of 505, ship", targets, lambda: shipped(kit, source, *targets, image=NEW)
    )
    assert len(ids(kit, [source, *targets], NEW)) == 1
    for host in targets:
        kit.ssh(host, f"docker rmi -f {NEW} web:latest")
    hand = measured(
        kit, "5 MB of 505, save and load", targets, lambda: by_hand(kit, source, targets, NEW)
    )
    for host in targets:
        kit.ssh(host, f"docker rmi -f {NEW} {OLD}")
    measured(kit, "all 500 MB, save and load", targets, lambda: by_hand(kit, source, targets, OLD))
    print(f"  bytes: ship moves 1/{hand / ship:.0f} of what save and load do")
    assert ship < 1.2 * 5
