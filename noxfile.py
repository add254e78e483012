"""The project's checks. `./inv test` runs them all in .venv; `nox -s NAME` runs one."""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "unit", "hosts"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.run("mypy")


@nox.session
def unit(session: nox.Session) -> None:
    """What needs neither Docker nor a host."""
    session.run("pytest", "-q", "tests/unit", "tests/sandbox", *session.posargs)


@nox.session
def hosts(session: nox.Session) -> None:
    """End to end: real sshd, systemd and dockerd, in two sandboxes side by side."""
    made = "from sandbox.world import up; up(kinds=('systemd', 'docker', 'plain'))"
    session.run("python", "-c", made)  # what takes long to make is then there for both
    split = ("-n", "2", "--dist", "loadfile", "-m", "not long")
    session.run("pytest", "-q", *split, "tests/hosts", *session.posargs)


@nox.session(name="long")
def long_(session: nox.Session) -> None:
    """The rest of them, which takes long."""
    session.run("pytest", "-q", "-m", "long", "tests/hosts", *session.posargs)


@nox.session
def vm(session: nox.Session) -> None:
    """Golden machines for real: a bake and booted clones, within 45 minutes without KVM."""
    session.run("pytest", "-q", "-s", "tests/vm", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The budgets, measured; on a quiet machine."""
    session.run("pytest", "-q", "-s", "tests/bench", *session.posargs)
