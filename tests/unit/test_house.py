"""The shape that makes the promises true by construction."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.fleet.health import groups
from runnerkit.place import ROOT
from runnerkit.redact import mask

PRODUCT = sorted((ROOT / "runnerkit").rglob("*.py"))
SANDBOX = sorted((ROOT / "sandbox").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def named(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


# Everything that a module imports, also within functions and for types alone.
IMPORTS = {name(path): {*named(path)} for path in [*PRODUCT, *SANDBOX]}
OURS = {module: imports & IMPORTS.keys() - {module} for module, imports in IMPORTS.items()}


def reached(module: str) -> set[str]:
    """All of ours that a module needs, through whatever it imports."""
    found: set[str] = set()
    left = [module]
    while left:
        for one in OURS[left.pop()] - found:
            found.add(one)
            left.append(one)
    return found


def inside(*rooms: str) -> list[str]:
    """The modules of these rooms, or that are one of them."""
    names = tuple(f"runnerkit.{room}" for room in rooms)
    return [one for one in IMPORTS if one in names or one.startswith(tuple(f"{n}." for n in names))]


PURE = (
    *("settings", "images", "want", "facts", "plan", "files", "container", "redact", "templates"),
    *("adoption", "bundle"),
)
DECIDING = ("steps", "actions", "checks")
DOORS = ("machine", "engine", "gitlab", "fleet", "report", "golden", "converge")


@pytest.mark.parametrize("module", inside(*PURE, *DECIDING))
def test_what_is_wanted_and_what_is_planned_reaches_no_host(module: str) -> None:
    assert not reached(module) & {*inside(*DOORS)}


@pytest.mark.parametrize("module", inside(*DECIDING))
def test_what_is_planned_has_no_clock_network_or_chance(module: str) -> None:
    used = {one.partition(".")[0] for one in IMPORTS[module]}
    assert not used & {"time", "random", "os", "subprocess", "socket", "datetime", "secrets"}


@pytest.mark.parametrize("module", inside("steps"))
def test_no_step_needs_another(module: str) -> None:
    assert not reached(module) & {*inside("steps")}


@pytest.mark.parametrize("module", inside("checks"))
def test_no_check_needs_a_step(module: str) -> None:
    assert not reached(module) & {*inside("steps", "actions")}


@pytest.mark.parametrize("module", inside("machine"))
def test_a_machine_knows_no_docker_and_no_gitlab(module: str) -> None:
    assert not reached(module) & {*inside("engine", "gitlab", "fleet", "steps", "checks")}


@pytest.mark.parametrize("module", inside("engine", "gitlab"))
def test_engine_and_gitlab_know_no_fleet(module: str) -> None:
    assert not reached(module) & {*inside("fleet", "report", "steps", "actions", "checks")}


@pytest.mark.parametrize("module", inside("fleet"))
def test_a_fleet_prints_nothing(module: str) -> None:
    assert not reached(module) & {*inside("report")}
    assert "print" not in calls(module)


@pytest.mark.parametrize("module", inside("report"))
def test_a_report_decides_nothing(module: str) -> None:
    assert not IMPORTS[module] & {*inside("steps", "converge", "engine", "gitlab")}


@pytest.mark.parametrize("module", [one for one in IMPORTS if one.startswith("runnerkit")])
def test_the_product_does_not_need_its_sandbox(module: str) -> None:
    assert not [one for one in reached(module) if one.startswith("sandbox")]


def calls(module: str) -> set[str]:
    file = ROOT / f"{module.replace('.', '/')}.py"
    tree = ast.parse(file.read_text()) if file.exists() else ast.Module([], [])
    functions = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {one.id for one in functions if isinstance(one, ast.Name)}


def test_every_step_and_every_check_has_its_part() -> None:
    """One that nobody calls would pass all of its own tests."""
    parts = {
        str(vars(part).get("__name__"))
        for part in (
            *converge.STEPS,
            *converge.GOLDEN,
            *converge.CHECKS,
            *(row.check for row in groups.ROWS),
        )
    }
    used = {one for user in inside("steps", "checks", "fleet") for one in OURS[user]}
    written = {*inside("steps", "checks")} - {"runnerkit.steps", "runnerkit.checks"}
    assert written - parts - used - {"runnerkit.checks.finding"} == set()


def test_doctor_asks_all_that_bootstrap_and_status_ask() -> None:
    asked = {*(row.check for row in groups.ROWS), *groups.ELSEWHERE}
    assert {*converge.CHECKS} <= asked


def test_no_circle_of_imports() -> None:
    try:
        TopologicalSorter(OURS).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("path", [*PRODUCT, *SANDBOX], ids=name)
def test_no_file_is_a_house_of_its_own(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 200


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_no_test_file_is_a_house_of_its_own(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_no_two_classes_have_one_name() -> None:
    names = [
        node.name
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [one for one in names if names.count(one) > 1] == []


@pytest.mark.parametrize("path", [*PRODUCT, *SANDBOX], ids=name)
def test_no_number_has_a_plural_of_its_own(path: Path) -> None:
    """`counted` has them all: "1 caches" comes of an f-string."""
    assert not re.findall(r"\{len\([^{}]*\)\} [a-z ]*s\b(?! of\b)", path.read_text())


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_a_fix_calls_its_host_by_one_word(path: Path) -> None:
    """Which a page replaces with the host's name."""
    assert not re.findall(r"--host [A-Z]+\b(?<!HOST)", path.read_text().replace("--host H,", ""))


@pytest.mark.parametrize("path", sorted((ROOT / "templates").iterdir()), ids=str)
def test_what_a_script_keeps_is_named_by_a_noun(path: Path) -> None:
    assert re.findall(r"\b(?:said|told|asked|made|found|given)\b *=[^=~]", path.read_text()) == []


def test_the_hall_has_few_doors() -> None:
    assert len(list((ROOT / "runnerkit").glob("*.py"))) <= 14


@pytest.mark.parametrize(
    "text",
    [
        'token = "glrt-abcdefghij"',
        '+  token = "x"',
        '"registry-token": "sentinel"',
        "SecretKey = 'sentinel'",
        "PASSWORD=sentinel",
        "http://user:sentinel@host/",
        "got glpat-sentinel99",
        "http://:sentinel@h/",
        'environment = ["MY_TOKEN=sentinel"]',
    ],
)
def test_a_diff_shows_no_secret(text: str) -> None:
    assert not re.search('sentinel|abcdefghij|"x"', mask(text))
