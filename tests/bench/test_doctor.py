"""doctor of a healthy host: 10 s without the rehearsals, 5 s for each of these, which go side by side."""

import json
import os
import statistics

from sandbox.world import BlankHost
from tests.bench.test_budgets import seconds
from tests.hosts.conftest import Blank, blank, kit, world
from tests.hosts.kit import Kit

__all__ = ["blank", "kit", "world"]
IMAGES = 4
EVENTS = """docker events --since {} --until "$(date +%s)" --filter label=runnerkit.rehearsal \\
  --filter event=create --filter event=die --format '{{{{json .}}}}'"""


def rehearsals(kit: Kit, host: BlankHost, since: str) -> list[tuple[float, float]]:
    """From when until when each container was there, in seconds, as the host's Docker tells it."""
    times: dict[str, list[float]] = {}
    for line in kit.ssh(host, EVENTS.format(since)).splitlines():
        event = json.loads(line)
        times.setdefault(event["id"], []).append(event["timeNano"] / 1e9)
    return [(first, last) for first, last in times.values()]


def test_a_healthy_host(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.mirrored(host)
    names = [f"image{number}" for number in range(1, IMAGES)]
    kit.settings(
        host,
        gitlab={"api_token": {"env": "GITLAB_TOKEN"}},
        images={name: {"base": "debian:bookworm"} for name in names},
        runners={
            name: {"image": name, "tags": [name], "docker": kit.world.own_helper} for name in names
        },
    )
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.new_token()
    kit.bootstrap()
    doctor = ("doctor", "--host", "all")
    alone = [seconds(lambda: kit.run(*doctor, "--no-rehearsal")) for _ in range(3)]
    begun = kit.ssh(host, "sleep 1; date +%s").strip()
    whole = seconds(lambda: kit.run(*doctor))
    spans = rehearsals(kit, host, begun)
    each = [last - first for first, last in spans]
    print(
        f"\n  doctor alone: median of 3: {statistics.median(alone):.1f} s; with {len(each)} rehearsals {whole:.1f} s,"
        f" of which {', '.join(f'{one:.1f}' for one in each)} s; load {os.getloadavg()[0]:.1f}"
    )
    assert kit.run(*doctor, "--json").code == 0
    assert statistics.median(alone) < 10
    assert (len(each), max(each) < 5) == (IMAGES, True)
    assert max(first for first, _ in spans) < min(last for _, last in spans), "side by side"
