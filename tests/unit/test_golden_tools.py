"""Programs that end with the kit, however that ends."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

START = """import subprocess, sys
from runnerkit.golden.tools import ending_with_us
print(subprocess.Popen([*ending_with_us("KILL"), "sleep", "600"]).pid, flush=True)
input()"""
# One that is slow to arrange for the signal: the kit, whose number comes seventh, is gone before.
SLOW = """#!/bin/sh
while [ "$(awk '{print $4}' /proc/$$/stat)" = "$7" ]; do sleep 0.02; done
exec %s "$@"
"""


@pytest.mark.parametrize("slow", [False, True])
def test_a_program_ends_with_a_killed_kit_whenever_that_is(tmp_path: Path, slow: bool) -> None:
    env = {**os.environ}
    if slow:
        real = subprocess.run(["which", "setpriv"], capture_output=True, text=True, check=True)
        (program := tmp_path / "setpriv").write_text(SLOW % real.stdout.strip())
        program.chmod(0o755)
        env["PATH"] = f"{tmp_path}:{env['PATH']}"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", START], env=env, stdin=pipe, stdout=pipe) as kit:
        assert kit.stdout
        program_ended = os.pidfd_open(int(kit.stdout.readline()))
        assert not select.select([program_ended], [], [], 0)[0]
        kit.kill()
        assert select.select([program_ended], [], [], 10)[0]
    os.close(program_ended)
