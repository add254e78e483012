"""Packer, which keeps the machine while it is set up, and makes its disk an image."""

import json
import os
import queue
import re
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runnerkit.errors import KitError, nearest
from runnerkit.events import Began, Detail, Tell
from runnerkit.golden import builddir, console, failure, tools
from runnerkit.golden.provision import CONSOLE, NAME, Watch
from runnerkit.golden.tools import Line
from runnerkit.place import ROOT

TEMPLATE = ROOT / "packer"
HERE = "qemu"  # the source that needs no cloud
SOURCES = (HERE, "amazon-ebs", "googlecompute")
MANIFEST = "packer.json"  # what Packer says of what it made
SILENCE = 10.0  # seconds without a word of Packer's, after which the machine's console is shown
# What Packer says when a phase begins.
PHASES = (
    ("Waiting for SSH", "boot to SSH"),
    ("Connected to SSH", "provision"),
    ("Gracefully halting", "seal"),
    ("Converting hard drive", "compress"),
    ("Build 'runner-host", "check"),
)
CHANGE = re.compile(r"\[(\d+)/(\d+)\] (.*)")  # as the kit itself says it, within the build
ENVIRONMENT = {"CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}


def release() -> str:
    """Packer's version."""
    output = _run(["version"], "ask Packer its version")
    return output.split()[1].lstrip("v")


def check(line: Line = print, folder: Path = TEMPLATE, **more: str | int) -> None:
    """See that the template is formatted and valid.

    Args:
        line: told what is installed for it.
        folder: the template's.
        more: variables to check it with, beside stand-ins for the files of a build.

    Raises:
        KitError: it is not.
    """
    tools.need(tools.QEMU | tools.PACKER, line)
    _run(["fmt", "-check", str(folder)], "check the format of the Packer template")
    with TemporaryDirectory(prefix="runnerkit-") as work:
        (file := Path(work) / "file").touch()
        builddir.new_key(key := Path(work) / "key")
        given = {
            "base_image": str(file),
            "base_checksum": f"sha256:{'0' * 64}",
            "ssh_private_key_file": str(key),
            "user_data_file": str(file),
            **more,
        }
        variables = [f"-var={name}={value}" for name, value in given.items()]
        _run(["validate", *variables, str(folder)], "validate the Packer template")


def known(file: Path) -> None:
    """Refuse a file that names a variable which the template has not: Packer would only warn.

    Raises:
        KitError: it does, or is no JSON although its name says so.
    """
    text, template = file.read_text(errors="replace"), (TEMPLATE / "variables.pkr.hcl").read_text()
    try:
        names = json.loads(text) if file.suffix == ".json" else re.findall(r"(?m)^(\w+)\s*=", text)
    except ValueError as error:
        raise KitError(f"{file} is not valid JSON: {error}", "correct that line") from None
    has = re.findall(r'(?m)^variable "(\w+)"', template)
    for name in names:
        if name not in has:
            raise KitError(
                f"{file}: no variable {name}{nearest(name, has)}",
                f"{TEMPLATE}/variables.pkr.hcl describes them",
            )


def build(
    source: str, given: list[Path], folder: Path, watch: Watch, tell: Tell, lock: int
) -> dict[str, Any]:
    """Run the build.

    Args:
        source: of SOURCES.
        given: files of the template's variables; the last one wins.
        folder: the build's.
        watch: told the phases.
        tell: told where it is.
        lock: a file descriptor that lives as long as Packer does.

    Returns:
        What it says of the image: artifact_id is a cloud's name for it.

    Raises:
        KitError: it failed or made nothing.
    """
    # With the kit goes Packer, which then takes its machine with it.
    command = [
        *tools.ending_with_us("TERM"),
        *("packer", "build", "-color=false", "-on-error=cleanup"),
        *(f"-var-file={file}" for file in given),
        str(alone(source, folder / "template")),
    ]
    environment = {**os.environ, **ENVIRONMENT, "PACKER_CACHE_DIR": str(folder / "cache")}
    watch.phase("start")
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        pass_fds=[lock],
    )
    try:
        output = _follow(child, folder, watch, tell)
        child.wait()
    except BaseException:
        child.terminate()  # it removes its machine, which takes it some seconds
        child.wait()
        raise
    manifest = folder / "output" / MANIFEST
    if child.returncode or not manifest.exists():
        raise failure.of(output, child.returncode, console.tail(folder / CONSOLE, 5))
    builds: list[dict[str, Any]] = json.loads(manifest.read_text())["builds"]
    return builds[-1]


def alone(source: str, new: Path) -> Path:
    """The template with one source: newer Packers want the plugins of all that it names."""
    new.mkdir()
    for name in ("variables", source, "build"):
        text = (TEMPLATE / f"{name}.pkr.hcl").read_text()
        only = re.sub(r"(?m)^  sources = .*", f'  sources = ["source.{source}.golden"]', text)
        (new / f"{name}.pkr.hcl").write_text(only)
    return new


def _follow(child: "subprocess.Popen[str]", folder: Path, watch: Watch, tell: Tell) -> list[str]:
    """Pass on what Packer says until it ends; all of it, without its own names before it."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert child.stdout
        with (folder / failure.LOG).open("w", buffering=1) as log:
            for line in child.stdout:
                log.write(line)
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    output: list[str] = []
    shown = ""
    while True:
        try:
            line = lines.get(timeout=SILENCE)
        except queue.Empty:
            if (last := console.tail(folder / CONSOLE, 1).strip()) != shown:
                tell(Detail(f"console: {last}"))
            shown = last
            continue
        if line is None:
            return output
        text = re.sub(r"^(==>|    )? *[\w.-]*\.golden(: |$)", "", line.rstrip()).strip()
        if not text:
            continue
        output.append(text := text.removeprefix(f"{NAME} ").strip())
        for mark, phase in PHASES:
            if text.startswith(mark):
                watch.phase(phase)
        change = CHANGE.fullmatch(text)
        tell(Began(change[3], int(change[1]), int(change[2])) if change else Detail(text))


def _run(words: list[str], doing: str) -> str:
    """What Packer says of its errors is on its stdout, in paragraphs."""
    environment = {**os.environ, **ENVIRONMENT}
    ran = subprocess.run(
        ["packer", *words], capture_output=True, text=True, check=False, env=environment
    )
    if ran.returncode:
        output = ran.stdout + ran.stderr
        _, _, error = output.partition("Error: ")
        why = " ".join(line.strip() for line in (error or output).splitlines() if line.strip())
        fix = failure.PLUGINS if "plugin" in why else f"see {TEMPLATE}, at what it names"
        raise KitError(f"{doing}: {why[:300]}", fix)
    return ran.stdout
