"""Machines in QEMU that hold a boot sector and no system: started, listened to, stopped."""

import os
import select
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.golden import base, qemu, tools
from runnerkit.golden.vm import Vm
from runnerkit.place import ROOT
from runnerkit.settings.model import Golden

# Writes "hi" and a new line to the serial port, and halts.
GREETS = "baf803b068eeb069eeb00aeef4ebfd"


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    tools.need(tools.QEMU, print)


def silent(_: str) -> None:
    pass


def disk(folder: Path, program: str, size: str = "1M") -> Path:
    raw, result = folder / "disk.raw", folder / "disk.qcow2"
    raw.write_bytes(bytes.fromhex(program).ljust(510, b"\0") + b"\x55\xaa")
    subprocess.run(["qemu-img", "resize", "-q", "-f", "raw", str(raw), size], check=True)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(result)], check=True)
    return result


@pytest.fixture
def vm(tmp_path: Path) -> Iterator[Vm]:
    machine = qemu.boot(disk(tmp_path, GREETS), tmp_path / "vm", memory_mb=64, cpus=1)
    yield machine
    machine.process.kill()
    machine.process.wait()


def test_an_accelerator_is_used_only_where_a_machine_boots_with_it() -> None:
    assert qemu.boots("tcg")
    assert not qemu.boots("hvf")  # of another system
    assert qemu.accelerator() == ("kvm" if qemu.boots("kvm") else "tcg")


def test_what_a_machine_says_on_its_console_can_be_waited_for(vm: Vm) -> None:
    assert vm.wait(60, until="^hi$")
    assert vm.tail(1) == "hi"


def test_a_machine_that_does_not_answer_ssh_is_not_up(vm: Vm) -> None:
    assert vm.wait(60, until="hi")
    assert not vm.wait(1)


def test_a_machine_that_heeds_no_button_is_killed(vm: Vm) -> None:
    assert vm.wait(60, until="hi")
    assert vm.running
    assert not vm.stop(patience=0.5)
    assert not vm.running


def test_a_machine_ends_with_a_kit_that_is_killed(tmp_path: Path) -> None:
    starts = f"""from pathlib import Path
from runnerkit.golden import qemu
print(qemu.boot(Path({str(disk(tmp_path, GREETS))!r}), Path({str(tmp_path)!r}), 64, 1).process.pid, flush=True)
input()"""
    command = [sys.executable, "-c", starts]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as kit:
        assert kit.stdout
        machine = os.pidfd_open(int(kit.stdout.readline()))
        assert not select.select([machine], [], [], 0)[0]
        kit.kill()
        assert select.select([machine], [], [], 10)[0]
    os.close(machine)


def at_work(folder: Path) -> dict[int, str]:
    """The programs that run in a folder, by their process."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_text()
    return found


def test_the_making_of_a_base_disk_ends_with_a_kit_that_is_killed(tmp_path: Path) -> None:
    """What it has mounted as well: the next bake removes what is left of it."""
    tools.need(tools.BASE, print)
    makes = f"""from pathlib import Path
from runnerkit.golden import base
from runnerkit.settings.model import Golden
base.disk(Golden(), Path({str(tmp_path)!r}), print)"""
    with subprocess.Popen([sys.executable, "-c", makes], cwd=ROOT) as kit:
        until = time.monotonic() + 60
        while not any("mmdebstrap" in line for line in at_work(tmp_path).values()):
            assert time.monotonic() < until
            assert kit.poll() is None
            time.sleep(0.1)
        kit.kill()
    until = time.monotonic() + 10
    while left := at_work(tmp_path):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_a_machine_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    machine = qemu.boot(tmp_path / "none.qcow2", tmp_path / "vm")
    with pytest.raises(KitError, match=r"the machine ended with 1: .*none\.qcow2"):
        machine.wait(60)


def test_a_secret_is_not_on_the_command_line(tmp_path: Path) -> None:
    machine = qemu.boot(
        disk(tmp_path, GREETS),
        tmp_path / "vm",
        64,
        1,
        credentials={"runnerkit.token": "glrt-sentinel"},
    )
    try:
        assert machine.wait(60, until="hi")
        output = Path(f"/proc/{machine.process.pid}/cmdline").read_bytes()
        assert b"smbios" in output
        assert b"sentinel" not in output and b64encode(b"glrt-sentinel") not in output
    finally:
        machine.stop(patience=0)


def test_an_overlay_holds_only_what_differs_and_may_be_larger(tmp_path: Path) -> None:
    below = disk(tmp_path, GREETS, "64M")
    result = qemu.overlay(below, tmp_path / "over.qcow2", size_gb=2)
    known = base.about(result)
    assert known["virtual-size"] == 2 << 30
    assert known["backing-filename"] == str(below)
    assert result.stat().st_size < 1 << 20


def test_a_base_that_is_no_disk_image_is_refused(tmp_path: Path) -> None:
    (text := tmp_path / "page.html").write_text("<html>404</html>")
    with pytest.raises(KitError, match="not a qcow2 image"):
        base.disk(Golden(base=str(text)), tmp_path, silent)


def test_a_base_with_files_of_this_machine_in_it_is_refused(tmp_path: Path) -> None:
    """Real ones, as qemu-img makes them: an overlay of /etc/shadow, and one with a data file."""
    (secret := tmp_path / "shadow").write_bytes(b"root:x".ljust(1 << 20, b"\0"))
    over, apart = tmp_path / "over.qcow2", tmp_path / "apart.qcow2"
    create = ["qemu-img", "create", "-q", "-f", "qcow2"]
    subprocess.run([*create, "-b", str(secret), "-F", "raw", str(over)], check=True)
    options = f"data_file={tmp_path}/raw,data_file_raw=on"
    subprocess.run([*create, "-o", options, str(apart), "1M"], check=True)
    for one, words in ((over, "backing file"), (apart, "data file")):
        with pytest.raises(KitError, match=f"is not whole: it has a {words}"):
            base.disk(Golden(base=str(one)), tmp_path, silent)


def test_a_base_larger_than_the_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="a disk of 9 GB, more than the image's 8"):
        base.disk(Golden(base=str(disk(tmp_path, GREETS, "8193M"))), tmp_path, silent)
