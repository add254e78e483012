"""What is true of a host: one script, one round trip, one dataclass."""

import hashlib
import json
import re
import shlex
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runnerkit import distributions
from runnerkit.errors import KitError
from runnerkit.images.reference import by_reference
from runnerkit.place import TEMPLATES

LONG = (
    "info",
    "version",
    "flags",
    "images",
    "containers",
    "jobs",
    "verify",
    "os",
)  # facts of many lines


@dataclass(frozen=True)
class Needs:
    """What a step must know of a host beyond the common facts.

    `paths` are asked after, and not read. `manager` asks for the manager's container, its jobs and
    what it says of its runners.
    """

    files: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    manager: bool = False


@dataclass(frozen=True)
class File:
    """A file of the host; `modified` is seconds since 1970 by the host's clock."""

    data: bytes
    mode: int
    modified: int

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")


@dataclass(frozen=True)
class ServerRunner:
    """A runner as GitLab's API has it."""

    id: int
    description: str = ""
    note: str = ""
    tags: frozenset[str] = frozenset()
    run_untagged: bool = True
    locked: bool = False
    paused: bool = False
    access_level: str = "not_protected"
    maximum_timeout: int | None = None


@dataclass(frozen=True)
class Facts:
    """A host at one moment, and GitLab's side of its runners where an API token lets us see it.

    `id` is its /etc/machine-id, `architecture` as its kernel names it.
    `info` is ``docker info`` (empty where no daemon answers), `version` what ``docker version`` tells
    of the server, `flags` what dockerd was started with, `paths` are those of the needed ones
    that exist, `verify` is what ``gitlab-runner verify`` said in the manager, `started` when dockerd
    started (seconds since 1970; 0 where it does not run), `unpacked` whether an
    interrupted dpkg left packages half installed, `prune_timer` whether it waits as its file
    says, `cron` the directories that a running cron goes through, `server` GitLab's runners by their
    key in the settings.
    """

    hostname: str
    id: str = ""
    architecture: str = "x86_64"
    os: Mapping[str, str] = field(default_factory=dict)
    cpus: int = 1
    systemd: bool = False
    dockerd: bool = False
    unpacked: bool = False
    free_kb: int = 0
    started: int = 0
    info: Mapping[str, Any] = field(default_factory=dict)
    version: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    containers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    paths: frozenset[str] = frozenset()
    jobs: int = 0
    verify: str = ""
    prune_timer: bool = False
    cron: tuple[str, ...] = ()
    server: Mapping[str, ServerRunner] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What tells it from others at GitLab: many have the hostname that their cloud gave them."""
        known = hashlib.sha256(self.id.encode()).hexdigest()[:8] if self.id else ""
        return f"{self.hostname} machine={known}" if known else self.hostname

    @property
    def docker_runs(self) -> bool:
        return bool(self.info.get("ServerVersion"))


def script(needs: Needs, container: str) -> str:
    """The script that gathers what the steps need."""
    words = {
        "FILES": shlex.join(needs.files),
        "PATHS": shlex.join(needs.paths),
        "IMAGES": shlex.join(needs.images),
        "CONTAINER": container if needs.manager else "",
    }
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in words.items())
    return head + (TEMPLATES / "look.sh").read_text()


def parse(text: str) -> Facts:
    """Read the output of the script.

    Raises:
        KitError: the answer is cut off or damaged, or the host is not Linux.
    """
    try:
        return _parsed(text)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise KitError(
            f"what the host told of itself cannot be read: {error}",
            "see what docker info --format '{{json .}}' prints there: it must be Docker's own, alone",
        ) from None


def _parsed(text: str) -> Facts:
    lines = [line.split(" ") for line in text.splitlines() if line]
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
    info = json.loads(facts.get("info", "{}"))
    return Facts(
        hostname=hostname,
        id=facts.get("id:", ""),
        architecture=architecture,
        os=distributions.os_release(facts.get("os", "")),
        cpus=int(facts.get("cpus:", 1)),
        systemd="systemd:" in facts,
        dockerd="dockerd:" in facts,
        unpacked="unpacked:" in facts,
        free_kb=int(facts.get("free_kb:") or 0),
        started=int(facts.get("dockerd_started:", 0)),
        info=info if info.get("ServerVersion") else {},
        version=json.loads(facts.get("version") or "null") or {},
        flags=tuple(facts.get("flags", "").split("\n")[1:]),
        containers={c["Name"].lstrip("/"): c for c in json.loads(facts.get("containers", "[]"))},
        images=by_reference(json.loads(facts.get("images", "[]"))),
        files={_decoded(words[1]): _file(words[2:]) for words in lines if words[0] == "file"},
        paths=frozenset(_decoded(words[1]) for words in lines if words[0] == "path"),
        jobs=len(facts.get("jobs", "").split()),
        verify=facts.get("verify", ""),
        prune_timer="prune_timer:" in facts,
        cron=tuple(facts.get("cron:", "").split()),
    )


def instant(time: str) -> float:
    """Seconds since 1970 of a time as Docker writes it, to the second."""
    text = re.sub(r"\.\d+", "", time).replace("Z", "+00:00")
    return datetime.fromisoformat(text).timestamp()


def _decoded(word: str) -> str:
    return b64decode(word).decode(errors="replace").strip()


def _file(words: list[str]) -> File:
    mode, modified, content = words
    return File(b64decode(content), int(mode, 8), int(modified))
