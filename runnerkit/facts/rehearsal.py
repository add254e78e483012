"""A job's container, started without a job: the script for the host, and what it told."""

import re
import shlex
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runnerkit.facts.attempt import Attempt
from runnerkit.place import TEMPLATES

LIMIT = 15  # seconds that a container has, its start with it; it looks around for 3 of them
AT_ONCE = 10  # containers
PORTS = {"http": 80, "https": 443}
METADATA = "metadata"
# What the runner starts in an image: the best shell there, which reads the job from its stdin.
# Source: shells/bash.go of gitlab-runner, BashDetectShellScript.
SHELLS = ("/usr/local/bin/bash", "/usr/bin/bash", "/bin/bash", "/usr/local/bin/sh", "/usr/bin/sh", "/bin/sh", "/busybox/sh")  # fmt: skip
DETECTION = "".join(f"if [ -x {one} ]; then exec {one}; fi\n" for one in SHELLS) + "echo shell not found\nexit 1\n"  # fmt: skip


@dataclass(frozen=True)
class Volume:
    """A volume of a job. One that is the host's (`source`) is left out where it is not there, as Docker
    would make it; one that is the runner's own is an empty one here."""

    path: str
    source: str = ""
    spec: str = ""


@dataclass(frozen=True)
class Case:
    """An image as jobs of some runners get it: `options` are those of ``docker run``, `network` of
    ``docker network create`` where each job has a network of its own."""

    runners: tuple[str, ...]
    image: str
    options: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    network: tuple[str, ...] | None = None
    environment: tuple[str, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    builds: str = "/builds"


@dataclass(frozen=True)
class Rehearsal:
    """What became of a case. `code` is docker's (None: the image is not there; -1: not known), `begins` whether the
    script was read, `free_kb` what is free for sources, where that can be told."""

    case: Case
    code: int | None
    begins: bool = False
    error: str = ""
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    free_kb: int | None = None
    writable: bool = True
    absent: tuple[str, ...] = ()


def script(cases: Sequence[Case]) -> str:
    """The script for the host that starts them all, side by side."""
    template = (TEMPLATES / "rehearse.sh").read_text()
    probe = (TEMPLATES / "rehearsal.sh").read_text()
    numbers = " ".join(str(number) for number in range(len(cases)))
    head = {"SHELL_OF_JOBS": DETECTION, "LIMIT": str(LIMIT), "PROBE": probe}
    starts = [_start(number, case) for number, case in enumerate(cases)]
    for number in range(AT_ONCE, len(starts), AT_ONCE):
        starts[number] = f"wait $pids\n{starts[number]}"
    return f"{_set(head)}{template}\n{''.join(starts)}wait $pids\ntell {shlex.quote(numbers)}\n"


def _set(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _start(number: int, case: Case) -> str:
    """One container, in a shell of its own."""
    lines = [f"number={number}", f"set -- {shlex.join(case.options)}"]
    for one in case.volumes:
        own = _more("-v", one.path)
        spec = _more("-v", one.spec)
        there = f"if there {shlex.quote(one.source)}; then {spec}; else {own}; fi"
        lines.append(there if one.source else own)
    if case.network is not None:
        lines.append(f"network {shlex.join(case.network)} || exit")
        lines.append('set -- "$@" --network "$PREFIX-$number"')
    words = [word for name, url in case.addresses for word in _words(name, url)]
    probe = _set({"ADDRESSES": " ".join(words), "BUILDS": case.builds})
    variables = "".join(f"{one}\n" for one in case.environment if "\n" not in one)
    lines.append(f"given {shlex.quote(probe)} {shlex.quote(variables)}")
    lines.append(f'start {shlex.quote(case.image)} "$@"')
    body = "\n".join(lines)
    return f'(\n{body}\n) &\npids="$pids $!"\n'


def _more(option: str, value: str) -> str:
    return f'set -- "$@" {option} {shlex.quote(value)}'


def _words(name: str, url: str) -> tuple[str, ...]:
    """An address as the script within has it; none where it is no address, or its letters are others'."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.scheme not in PORTS or not re.fullmatch(r"[\w.:%-]+", host):
        return ()
    safe = bare if re.fullmatch(r"[\w.:/\[\]~%-]+", bare) else f"{parts.scheme}://{host}/"
    return name, host, str(port or PORTS[parts.scheme]), safe


def parse(output: str, cases: Sequence[Case]) -> tuple[Rehearsal, ...]:
    """What the script printed; of a case of which it says nothing the code is -1."""
    told: dict[tuple[str, str], str] = {}
    for line in output.splitlines():
        kind, _, rest = line.partition(" ")
        number, _, value = rest.partition(" ")
        told[kind, number] = value
    return tuple(_rehearsal(case, told, str(number)) for number, case in enumerate(cases))


def _rehearsal(case: Case, told: Mapping[tuple[str, str], str], number: str) -> Rehearsal:
    state = told.get(("state", number), "")
    code = re.fullmatch("code ([0-9]{1,3})", state)
    out, err, absent = (
        _decoded(told.get((kind, number), "")) for kind in ("out", "err", "volumes")
    )
    lines = [line[2:] for line in out.splitlines() if line.startswith("@ ")]
    disk = re.search(r"^disk \S+ +[0-9]+ +[0-9]+ +([0-9]{1,15}) ", "\n".join(lines), re.MULTILINE)
    others = "" if lines else out
    return Rehearsal(
        case,
        int(code[1]) if code else None if state == "missing" else -1,
        begins="begins" in lines,
        error=f"{err}\n{others}".strip(),
        attempts=dict(_attempts(lines)),
        free_kb=int(disk[1]) if disk else None,
        writable="builds not writable" not in lines,
        absent=tuple(absent.splitlines()),
    )


def _decoded(word: str) -> str:
    try:
        return b64decode(word).decode(errors="replace")
    except ValueError:
        return ""


def _attempts(lines: Sequence[str]) -> Iterator[tuple[str, Attempt]]:
    """In their order: that a tool is tried, and later what it said."""
    tools = "getent|curl|wget|bash|python3|nc|nothing"
    for line in lines:
        if found := re.fullmatch(f"try ([a-z]+) ({tools})", line):
            yield found[1], Attempt(found[2])
        elif found := re.fullmatch(f"([a-z]+) ({tools}) ([0-9]{{1,3}}) ?(.*)", line):
            yield found[1], Attempt(found[2], int(found[3]), found[4].strip())
