"""Virtual machines of this machine: QEMU, with KVM where that works and without where it does not."""

import os
import socket
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from runnerkit.golden import tools
from runnerkit.golden.vm import LOG, PROGRAM, Vm

# A boot sector that writes 16 to QEMU's exit port: QEMU then ends with 16 * 2 + 1.
PROBE = bytes.fromhex("b010e6f4f4ebfd").ljust(510, b"\0") + b"\x55\xaa"
ALIVE = 33
PATIENCE = 10.0  # seconds for a probe; KVM takes 0.1


@cache
def accelerator() -> str:
    """ "kvm" where a machine really boots with it, else "tcg".

    That /dev/kvm is there says little: inside other virtual machines it may abort at the first
    instruction.
    """
    return "kvm" if Path("/dev/kvm").exists() and boots("kvm") else "tcg"


def boots(accelerator: str) -> bool:
    """Whether a machine executes instructions with an accelerator."""
    with TemporaryDirectory(prefix="runnerkit-") as folder:
        disk = Path(folder) / "probe.raw"
        disk.write_bytes(PROBE)
        command = [
            *(PROGRAM, "-accel", accelerator, "-cpu", "max", "-machine", "pc", "-m", "64"),
            *("-nodefaults", "-display", "none", "-no-reboot"),
            *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
            *("-drive", f"file={disk},format=raw"),
        ]
        try:
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return False
        return ran.returncode == ALIVE


def overlay(base: Path, new: Path, size_gb: int = 0) -> Path:
    """A disk that holds only what differs from `base`, and may be larger."""
    size = [f"{size_gb}G"] if size_gb else []
    create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base.resolve())]
    tools.run(
        [*create, str(new), *size], f"make an overlay of {base}", "see that the disk has room"
    )
    return new


def boot(
    disk: Path,
    folder: Path,
    memory_mb: int = 2048,
    cpus: int = 2,
    seed: Path | None = None,
    credentials: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
) -> Vm:
    """Start a machine, with its monitor on our side of a pipe; it is not awaited.

    It ends with the thread that started it, however that ends.

    Args:
        disk: a qcow2 file that it may write to.
        folder: where its console and QEMU's own words are.
        memory_mb: its memory.
        cpus: its processors.
        seed: a folder with user-data and meta-data, for cloud-init's NoCloud.
        credentials: systemd's, given through SMBIOS and seen by root in the machine only. They
            go in by pipes: a command line could be read by anybody here.
        address: of this machine, where its SSH is.
    """
    tools.private(folder)
    console, port = folder / "console.log", free_port(address)
    console.unlink(missing_ok=True)
    more = (
        ["-drive", f"driver=vvfat,dir={seed},label=cidata,if=virtio,read-only=on"] if seed else []
    )
    secrets = [_pipe(name, value) for name, value in (credentials or {}).items()]
    for end in secrets:
        more += ["-smbios", f"type=11,path=/dev/fd/{end}"]
    drive = "if=virtio,format=qcow2,cache=unsafe,discard=unmap,detect-zeroes=unmap"
    command = [
        *tools.ending_with_us("KILL"),
        *(PROGRAM, "-accel", accelerator(), "-cpu", "max", "-machine", "pc", "-m", str(memory_mb)),
        *("-smp", str(cpus), "-display", "none", "-nodefaults", "-device", "virtio-rng-pci"),
        *("-drive", f"file={disk},{drive}"),
        *("-netdev", f"user,id=net,hostfwd=tcp:{address}:{port}-:22"),
        *("-device", "virtio-net-pci,netdev=net", "-serial", f"file:{console}"),
        *("-qmp", "stdio", *more),
    ]
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=secrets,
            start_new_session=True,
        )
    for end in secrets:
        os.close(end)
    return Vm(child, address, port, console)


def free_port(address: str) -> int:
    """A port of this machine's that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _pipe(name: str, value: str) -> int:
    """The end of a pipe from which QEMU reads a credential; it is far smaller than a pipe holds."""
    ours, theirs = os.pipe()
    text = b64encode(value.encode()).decode()
    os.write(theirs, f"io.systemd.credential.binary:{name}={text}".encode())
    os.close(theirs)
    return ours
