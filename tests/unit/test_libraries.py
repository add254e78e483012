"""What is imported is declared, what is declared is locked, and private parts are still there."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from runnerkit.place import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LIBRARIES = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
TOOLS = [Requirement(text) for text in PROJECT["dependency-groups"]["dev"]]
TREES = [
    ast.parse(file.read_text())
    for folder in ("runnerkit", "sandbox")
    for file in sorted((ROOT / folder).rglob("*.py"))
]
PUBLIC = {"_exit", "_replace"}  # of os and of named tuples, in spite of the underscore
# What no library promises to keep; each has an upper bound in pyproject.toml.
PRIVATE = [
    "docker.auth.AuthConfig.resolve_authconfig",
    "docker.auth.load_config",
    "docker.auth.resolve_repository_name",
    "docker.transport.basehttpadapter.BaseHTTPAdapter.close",
    "fabric.runners.Remote.write_proc_stdin",
    "grpclib.server.Server._protocol_factory",
    "invoke.runners.Local._write_proc_stdin",
    "paramiko.agent.AgentSSH._connect",
    "paramiko.channel.Channel._handle_close",
    "paramiko.transport.Transport._channel_handler_table",
    "paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED",
    "paramiko.common.OPEN_FAILED_CONNECT_FAILED",
    "urllib3.connectionpool.HTTPConnectionPool.ConnectionCls",
]


def imported() -> Iterator[str]:
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_what_is_imported_is_declared() -> None:
    runner = ROOT / "sandbox/runner"  # runs on its own, in a container
    own = {part for file in runner.rglob("*.py") for part in file.relative_to(runner).parts}
    names = {name.partition(".")[0] for name in imported()}
    foreign = {
        name
        for name in names - sys.stdlib_module_names - {"runnerkit", "sandbox"}
        if not own & {name, f"{name}.py"}
    }
    owners = packages_distributions()
    needed = {canonicalize_name(owners[name][0]) for name in foreign}
    assert needed == {canonicalize_name(library.name) for library in LIBRARIES}


@pytest.mark.parametrize(
    ("file", "needed"),
    [("requirements.lock", LIBRARIES), ("requirements-dev.lock", [*LIBRARIES, *TOOLS])],
)
def test_the_locks_have_what_is_declared(file: str, needed: list[Requirement]) -> None:
    pins = re.findall(r"(?m)^([\w.-]+)==([\w.]+)", (ROOT / file).read_text())
    for one in needed:
        versions = [version for name, version in pins if name == canonicalize_name(one.name)]
        assert versions, f"{one} is not in {file}: nox -s lock"
        assert all(one.specifier.contains(version) for version in versions), one


@pytest.mark.parametrize("path", PRIVATE)
def test_a_private_part_is_there_and_its_library_bounded(path: str) -> None:
    parts = path.split(".")
    depth = next(n for n in range(len(parts), 0, -1) if importable(".".join(parts[:n])))
    found: object = import_module(".".join(parts[:depth]))
    for name in parts[depth:]:
        found = getattr(found, name)
    (library,) = (one for one in LIBRARIES if one.name == parts[0])
    assert any(one.operator == "<" for one in library.specifier)


def importable(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def test_no_other_private_part_is_used() -> None:
    nodes = [node for tree in TREES for node in ast.walk(tree)]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    ours = {node.name for node in nodes if isinstance(node, functions)}
    ours |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    ours |= {node.id for node in nodes if isinstance(node, ast.Name)}
    private = {node.attr for node in attributes if re.match("_[a-z]", node.attr)}
    assert private - ours - PUBLIC <= {path.rpartition(".")[2] for path in PRIVATE}


def test_where_nothing_is_changed_no_library_for_changes_is_imported() -> None:
    """Docker's alone takes longer than all else that a run without changes does here."""
    verbs = "bootstrap, runnerkit.fleet.health.status, runnerkit.machine.ssh.connection"
    code = f"import sys, runnerkit.fleet.{verbs}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, check=True, capture_output=True
    )
    late = {"docker", "requests", "urllib3", "gitlab", "tomlkit", "jinja2", "rich", "packaging"}
    assert not late & {*ran.stdout.split()}
