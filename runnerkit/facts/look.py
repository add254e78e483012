"""One script, one round trip: what the steps and checks need to know of a host."""

import json
import re
import shlex
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator

from runnerkit.errors import KitError
from runnerkit.facts import Facts, File, Job, Needs, belongings, docker, os_release, packages, probe
from runnerkit.images.reference import by_reference
from runnerkit.place import TEMPLATES
from runnerkit.printable import clipped

LONG = (
    "info",
    "version",
    "flags",
    "images",
    "containers",
    "jobs",
    "verify",
    "os",
    "probe",
    "packages",
    "upgrades",
    "belongings",
)  # of many lines
WRAPPED = re.compile(r"\n(?=[A-Za-z0-9+/=]+$)", re.MULTILINE)  # base64 that goes on


def script(needs: Needs, container: str, patience: int = 0) -> str:
    """The script that gathers what the steps need.

    Args:
        needs: what they need.
        container: the manager's.
        patience: seconds that Docker is waited for, for doctor, whose questions are then asked too; 0
            for any time.
    """
    words = {
        "FILES": shlex.join(_encoded(needs.files)),
        "PATHS": shlex.join(_encoded(one for one in needs.paths if "*" not in one)),
        "PATTERNS": shlex.join(one for one in needs.paths if "*" in one).replace("*", "'*'"),
        "UNITS": shlex.join(needs.units),
        "CHAINS": shlex.join(needs.chains),
        "IMAGES": shlex.join(needs.images),
        "OTHERS": shlex.join(needs.others),
        "CONTAINER": container if needs.manager or needs.container else "",
        "VERIFY": "yes" if needs.manager else "",
        "NAMES": shlex.join(needs.names),
        "PACKAGES": "yes" if needs.packages else "",
        "PATIENCE": str(patience or ""),
        "BELONGINGS": "yes" if needs.belongings else "",
    }
    more = (*["probe.sh"] * bool(patience), *["engine-packages.sh"] * needs.packages)
    names = ("places.sh", *more, "look.sh")
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in words.items())
    return head + "".join((TEMPLATES / name).read_text() for name in names)


def parse(text: str) -> Facts:
    """Read the output of the script.

    Raises:
        KitError: the answer is cut off or damaged, or the host is not Linux.
    """
    try:
        return _parsed(text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise KitError(
            f"what the host told of itself cannot be read: {error}",
            "see what docker info --format '{{json .}}' prints there: it must be Docker's own, alone",
        ) from None


def _parsed(text: str) -> Facts:
    lines = [line.split(" ") for line in WRAPPED.sub("", text).splitlines() if line]
    facts = {words[0]: " ".join(words[1:]) for words in lines if words[0].endswith(":")}
    facts |= {words[0]: _decoded(words[1]) for words in lines if words[0] in LONG}
    if "end:" not in facts or "kernel:" not in facts:
        raise KitError(
            "the host did not answer like a Linux shell",
            "runner hosts must run Linux with a POSIX sh",
        )
    system, hostname, architecture = facts["kernel:"].split(" ", 2)
    if system != "Linux":
        raise KitError(
            f"the host runs {system}, not Linux",
            "choose a Linux machine: the manager runs in a Linux container",
        )
    empty = {"info": "{}", "version": "{}", "containers": "[]", "images": "[]"}
    answers = {name: json.loads(facts.get(name) or none) for name, none in empty.items()}
    docker.check(answers)
    info = answers["info"]
    kb, _, disk = facts.get("free_kb:", "").partition(" ")
    inodes = facts.get("free_inodes:", "").partition(" ")[0]
    return Facts(
        hostname=hostname,
        id=facts.get("id:", ""),
        architecture=architecture,
        os=os_release.parse(facts.get("os", "")),
        cpus=int(facts.get("cpus:", 1)),
        now=int(facts.get("now:", 0)),
        systemd="systemd:" in facts,
        dockerd="dockerd:" in facts,
        ostree="ostree:" in facts,
        podman="podman:" in facts,
        unpacked="unpacked:" in facts,
        free_kb=int(kb or 0),
        free_inodes=int(inodes) if inodes else None,
        disk=disk or "/",
        started=int(facts.get("dockerd_started:", 0)),
        info=info if info.get("ServerVersion") else {},
        version=answers["version"] or {},
        flags=tuple(facts.get("flags", "").split("\n")[1:]),
        containers={c["Name"].lstrip("/"): c for c in answers["containers"]},
        images=by_reference(answers["images"]),
        files={_decoded(words[1]): _file(words[2:]) for words in lines if words[0] == "file"},
        paths=frozenset(_decoded(words[1]) for words in lines if words[0] == "path"),
        jobs=len(jobs := job_containers(facts.get("jobs", ""))),
        work=jobs_in(jobs),
        verify=clipped(facts.get("verify", "")),
        units={words[1]: words[2] for words in lines if words[0] == "unit"},
        rules={words[1]: _decoded(words[2]) for words in lines if words[0] == "rules"},
        upgrades=tuple(facts.get("upgrades", "").splitlines()),
        cron=tuple(facts.get("cron:", "").split()),
        packages=packages.parse(facts.get("packages", "")),
        probe=probe.parse(facts["probe"]) if "probe" in facts else None,
        belongings=belongings.parse(facts.get("belongings", "")),
    )


def job_containers(output: str) -> list[list[str]]:
    """When each was created, its job's number and address. Docker has an empty line for one that has gone
    between its listing and its inspection."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("[")]


def jobs_in(containers: list[list[str]]) -> tuple[Job, ...]:
    """The jobs that have these containers, the oldest first."""
    found: dict[str, Job] = {}
    for created, number, url in sorted(containers):
        project = re.match(
            r"\w+://[^/]*/(.*?)/*(?:/-/jobs/.*)?$", url
        )  # anybody can label a container
        found.setdefault(number, Job(number, project[1] if project else "", created))
    return tuple(found.values())


def _encoded(names: Iterable[str]) -> Iterator[str]:
    """Each with how it comes back: a host need not find that out by itself."""
    for name in names:
        yield from (name, b64encode(name.encode()).decode())


def _decoded(word: str) -> str:
    return b64decode(word).decode(errors="replace").strip()


def _file(words: list[str]) -> File:
    mode, modified, content = words
    return File(b64decode(content), int(mode, 8), int(modified))
