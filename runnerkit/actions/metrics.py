"""What a Prometheus and a Grafana need to know of the managers: files, and whose they are."""

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Mapping

from runnerkit.place import TEMPLATES
from runnerkit.printable import in_one_line

PREFIX = "metrics-"
NAMES = {
    "prometheus.yml": "prometheus.yml",
    "rules.yml": "gitlab-runner.rules.yml",
    "dashboard.json": "gitlab-runner.dashboard.json",
}
HOSTS = "gitlab-runner.hosts.yml"
TUNNELS = 19252  # the first port of this side, by which a manager on its host's loopback is reached
MARK, BLANK = re.compile(r"(written by \./inv metrics, sha256 )([0-9a-f]{64})"), "0" * 64
ALL = ("0.0.0.0", "[::]")


def files(hosts: Mapping[str, str], metrics: str) -> dict[str, str]:
    """The files by their names.

    Args:
        hosts: addresses as the settings have them, by the hosts' names.
        metrics: where each host's manager answers.
    """
    texts = {
        name: (TEMPLATES / f"{PREFIX}{template}").read_text() for template, name in NAMES.items()
    }
    texts[HOSTS] = "".join(["# runnerkit @MARK@\n", *_scraped(hosts, metrics)])
    return {name: _marked(text) for name, text in texts.items()}


def own(text: str) -> bool:
    """Whether a file is as the kit wrote it, whichever version of it."""
    found = MARK.search(text)
    return found is not None and found[2] == _digest(MARK.sub(rf"\g<1>{BLANK}", text, count=1))


def _marked(text: str) -> str:
    blank = text.replace("@MARK@", f"written by ./inv metrics, sha256 {BLANK}")
    return blank.replace(BLANK, _digest(blank), 1)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _scraped(hosts: Mapping[str, str], metrics: str) -> Iterable[str]:
    """A target a host; with the command of the tunnel, where it answers itself alone."""
    ip, _, port = metrics.rpartition(":")
    for number, (name, address) in enumerate(hosts.items()):
        label, note, target = json.dumps(name), "", f"{ip}:{port}"
        login, _, place = address.rpartition("@")
        found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d+))?", place)
        host, ssh = (found[1], found[2]) if found else (place, None)
        if ip in ALL:
            target = f"{'127.0.0.1' if address == 'local' else host}:{port}"
        elif (ip.startswith("127.") or ip == "[::1]") and address != "local":
            target = f"127.0.0.1:{TUNNELS + number}"
            words = [
                "ssh",
                "-N",
                "-L",
                f"{TUNNELS + number}:{metrics}",
                *(["-p", ssh] if ssh else []),
            ]
            to = f"{login}@{host.strip('[]')}" if login else host.strip("[]")
            note = f"  # {in_one_line(shlex.join([*words, to]))}\n"
        yield f"{note}- targets: [{json.dumps(target)}]\n  labels: {{ host: {label} }}\n"
