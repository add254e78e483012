"""Builds a job image through the Engine's own API, by BuildKit or the classic builder."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from docker import APIClient

from runnerkit.engine import build_failure, buildkit
from runnerkit.engine.client import events, image
from runnerkit.errors import KitError
from runnerkit.events import Detail, Progress, Tell
from runnerkit.images import context
from runnerkit.images.content import content
from runnerkit.images.definition import JobImage
from runnerkit.machine.machine import Machine
from runnerkit.plan import Build
from runnerkit.redact import mask
from runnerkit.settings.secrets import Secret

BLOCK = 1 << 18
LINES = 12  # of a failed step's output
LINE = 1 << 16  # bytes of one that has not ended


def build(client: APIClient, machine: Machine, change: Build, tell: Tell) -> None:
    """Build a job image; it gets its names only when it is whole.

    Raises:
        KitError: it does not build; with the failing step and its last lines.
    """
    job = change.image
    secrets = _secrets(job) if change.buildkit else {}
    session = buildkit.session(machine, client.api_version, secrets) if secrets else nullcontext("")
    found = {base: image(client, base) for base in job.bases}
    ids = {base: str(image["Id"]) for base, image in found.items()}
    contents = {base: content(image) for base, image in found.items()}
    dates = {base: str(image["Created"]) for base, image in found.items() if image.get("Created")}
    log = _Log(tell)
    with session as number:
        params = {
            "version": "2" if change.buildkit else "1",
            "t": [job.hashed(contents), job.reference],
            "buildargs": json.dumps({**change.proxies, **job.args}),
            "labels": json.dumps(job.marks(ids, dates, contents)),
            "rm": "1",
            "forcerm": "1",
            **({"nocache": "1"} if change.no_cache else {}),
            **({"platform": job.platform} if job.platform else {}),
            **({"session": number} if number else {}),
        }
        answer = client.post(
            f"{client.base_url}/v{client.api_version}/build",
            params=params,
            data=_blocks(job, not change.buildkit, tell),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,  # a step may be silent for as long as it likes
        )
        if not answer.ok:
            log.error = str(answer.json().get("message", answer.reason))
        for event in events(answer) if answer.ok else ():
            log.event(event)
    if log.error:
        raise build_failure.of(job, log.step, log.lines, log.error)


class _Log:
    """What a build says, either builder's: the step that it is at, and the last lines of each."""

    def __init__(self, tell: Tell) -> None:
        self.tell, self.error, self.step = tell, "", "before the first step"
        self.lines: list[str] = []
        self._steps: dict[str, str] = {}
        self._outputs: dict[str, list[str]] = {}
        self._rests: dict[tuple[str, int], bytes] = {}  # of lines that have not ended, by stream

    def event(self, event: dict[str, Any]) -> None:
        if event.get("id") == "moby.buildkit.trace":
            for one in buildkit.trace(event["aux"]):
                self._buildkit(one)
        elif "error" in event:
            self.error = str(event["error"])
        elif text := str(event.get("stream", event.get("status", ""))).strip():
            if text.startswith("Step "):
                self.step, self.lines = text, []
                self.tell(Detail(build_failure.short(text)))
            else:
                self.lines = [*self.lines[1 - LINES :], text]
                self.tell(Detail(mask(text)))

    def _buildkit(self, one: buildkit.Status) -> None:
        if one.name and one.vertex not in self._steps and not one.name.startswith("[internal"):
            self._steps[one.vertex] = one.name
            self.tell(Detail(build_failure.short(one.name)))
        output = self._outputs.setdefault(one.vertex, [])
        key = one.vertex, one.stream
        *lines, rest = (self._rests.pop(key, b"") + one.text).split(b"\n")
        if rest:  # a line comes in pieces: "E", ": ", "Unable to …"
            self._rests[key] = rest[:LINE]
        if one.error:
            unended = [key for key in self._rests if key[0] == one.vertex]
            lines += [self._rests.pop(key) for key in unended]
        for line in (line.decode(errors="replace") for line in lines):
            if line.strip():
                output.append(line.rstrip())
                self.tell(Detail(mask(line.strip())))
        del output[:-LINES]
        if one.error:
            self.step, self.lines = one.name, output


def _blocks(job: JobImage, classic: bool, tell: Tell) -> Iterator[bytes]:
    """The context in blocks that are worth a packet each."""
    block, sent = bytearray(), 0
    try:
        for piece in context.stream(job.context, job.dockerfile, classic):
            block += piece
            if len(block) >= BLOCK:
                sent += len(block)
                yield bytes(block)
                block.clear()
                if job.size > 20 * BLOCK:
                    tell(Progress(sent, job.size, "its context"))
    except OSError as error:  # not the connection's
        fix = "run again when the folder is at rest"
        raise KitError(f"{error.filename}: {error.strerror}", fix) from None
    yield bytes(block)


def _secrets(job: JobImage) -> dict[str, Secret]:
    found = {name: source.read() for name, source in job.secrets.items()}
    for name, secret in found.items():
        if secret is None:
            raise KitError(
                f"the secret {name} of the job image {job.name} is empty",
                f"set {job.secrets[name]}, as images.{job.name}.secrets says",
            )
    return {name: secret for name, secret in found.items() if secret}
