"""The project's checks, from the locked dependencies alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from runnerkit.errors import KitError, nearest
from runnerkit.place import ROOT
from sandbox.daemon import packages


def run(only: str = "") -> int:
    """Install what the checks need into .venv, then run nox; its exit code.

    Raises:
        KitError: there is no such session, or what they need cannot be had.
    """
    text = (ROOT / "noxfile.py").read_text()
    known = re.findall(r"(?ms)^@nox\.session\(.*?\)\ndef (\w+?)_?\(", text)
    if only and only not in known:
        raise KitError(
            f"no session {only!r}{nearest(only, known)}", f"--only is one of {', '.join(known)}"
        )
    lock, stamp = ROOT / "requirements-dev.lock", Path(sys.prefix) / ".dev-lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        print("installing the locked test tools into .venv, once", file=sys.stderr)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, "--require-hashes", "-r", lock], check=False).returncode:
            raise KitError(
                "the test tools could not be installed", "check that pip reaches its index"
            )
        stamp.write_bytes(lock.read_bytes())
    if not shutil.which("ssh-keygen"):
        packages(lambda line: print(line, file=sys.stderr), "openssh-client")
    nox = [sys.executable, "-m", "nox", "-f", str(ROOT / "noxfile.py")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    words = [*nox, "-s", only] if only else nox
    env = {**os.environ, "PATH": path, "RUNNERKIT_READY": "1", "RUNNERKIT_COMMAND": "./inv"}
    return subprocess.run(words, check=False, env=env, cwd=ROOT).returncode
