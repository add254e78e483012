"""The project's checks. `./inv test` runs them in .venv; `nox` makes an environment for each."""

import os
import shutil
import sys
from pathlib import Path

import nox

READY = "RUNNERKIT_READY" in os.environ  # ./inv test has put all that is needed beside nox
PYTHON = None if sys.version_info >= (3, 11) else "3.11"
KEPT = [
    *Path.home().glob(".pyenv/versions/*/bin"),
    *Path.home().glob(".local/share/uv/python/*/bin"),
]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, KEPT)])
NEWER = [f"3.{minor}" for minor in range(11, 20) if minor != sys.version_info.minor]
OTHERS = [version for version in NEWER if shutil.which(f"python{version}")]
UV = "uv==0.13.9"

nox.options.default_venv_backend = "none" if READY else "virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "unit", "package", "hosts"]
if OTHERS and not READY:
    nox.options.sessions += ["pythons"]


def locked(session: nox.Session) -> None:
    """Have the locked libraries and tools in a session's own environment."""
    if session.venv_backend != "none":
        session.install("--require-hashes", "-r", "requirements-dev.lock")


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Style and format."""
    locked(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Types, strictly."""
    locked(session)
    session.run("mypy")


@nox.session(python=PYTHON)
def unit(session: nox.Session) -> None:
    """What needs neither Docker nor a host."""
    locked(session)
    session.run("pytest", "-q", "-n", "2", "tests/unit", "tests/sandbox", *session.posargs)


@nox.session(
    python=[one for one in OTHERS if shutil.which(f"python{one}")], venv_backend="virtualenv"
)
def pythons(session: nox.Session) -> None:
    """The same on every other Python that is here."""
    unit(session)


@nox.session(python=PYTHON)
def package(session: nox.Session) -> None:
    """The kit as a wheel, installed: what `pip install .` gives."""
    locked(session)
    session.run("pytest", "-q", "tests/package", *session.posargs)


@nox.session(python=PYTHON)
def hosts(session: nox.Session) -> None:
    """End to end: real sshd, systemd and dockerd, in two sandboxes side by side."""
    locked(session)
    kinds = "from sandbox.world import up; up(kinds=('systemd', 'docker', 'plain'))"
    session.run("python", "-c", kinds)  # what takes long to make is then there for both
    split = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not long")
    session.run("pytest", "-q", *split, "tests/hosts", *session.posargs)


@nox.session(name="long", python=PYTHON)
def long_(session: nox.Session) -> None:
    """The rest of them, which takes long, and the property tests with examples of the day."""
    locked(session)
    session.run("pytest", "-q", "--hypothesis-profile=default", "-n", "2", "tests/unit")
    session.run("pytest", "-q", "-m", "long", "tests/hosts", "tests/judges", *session.posargs)


@nox.session(python=PYTHON)
def vm(session: nox.Session) -> None:
    """Golden machines for real: a bake and booted clones, within 45 minutes without KVM."""
    locked(session)
    session.run("pytest", "-q", "-s", "tests/vm", *session.posargs)


@nox.session(python=PYTHON)
def bench(session: nox.Session) -> None:
    """The budgets, measured; on a quiet machine."""
    locked(session)
    session.run("pytest", "-q", "-s", "tests/bench", *session.posargs)


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Write the pages of docs/ that are made from the code."""
    locked(session)
    session.run("python", "-m", "runnerkit.reference")


@nox.session(python=PYTHON, venv_backend="virtualenv")
def lock(session: nox.Session) -> None:
    """Write the lock files; `nox -s lock -- --upgrade` takes the newest of everything."""
    session.install(UV)
    how = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet")
    for file, *group in (("requirements.lock",), ("requirements-dev.lock", "--group", "dev")):
        session.run(
            "uv", "pip", "compile", "pyproject.toml", *group, *how, "-o", file, *session.posargs
        )
