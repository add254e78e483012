"""As BuildKit, fsutil, distribution/reference and httpproxy have it: their verdicts, recorded.

tests/judges/ asked buildkit v0.34.2, fsutil v0.0.0-20261103091533, patternmatcher v0.6.1 and
reference v0.6.0; around.json is what golang.org/x/net v0.59.0 says.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.images import context, dockerfile, reference
from runnerkit.settings.no_proxy import passed_by
from tests.judges import inputs, record


def table(name: str) -> list[tuple[Any, list[str] | None]]:
    rows: list[tuple[Any, list[str] | None]] = json.loads(
        (record.RECORDED / f"{name}.json").read_text(encoding="utf-8")
    )
    assert len(rows) > 300
    return rows


def test_what_a_dockerfile_builds_on_is_what_buildkit_asks_for() -> None:
    for asked, names in table("bases"):
        found = dockerfile.bases(asked["text"], asked["args"], asked["platform"])
        assert sorted(map(reference.normal, found)) == names, asked


def test_what_goes_around_a_proxy_is_what_gos_programs_ask_directly() -> None:
    for asked, names in table("around"):
        found = passed_by(asked["url"], asked["words"].split(","))
        assert found == bool(names), asked


def test_names_are_those_that_the_registrys_library_takes_in_its_form() -> None:
    for name, names in table("references"):
        assert reference.parse(name) == (names[0] if names else ""), name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in inputs.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def sent(tree: Path) -> list[str] | None:
    """What is sent with the folders above it; None where the ignore file is refused."""
    try:
        names = {entry.name for entry in context.entries(str(tree))}
    except KitError:
        return None
    above = {str(folder) for name in names for folder in Path(name).parents} - {"."}
    return sorted(names | above, key=str.encode)


def test_what_is_sent_is_what_buildkit_sends(tree: Path) -> None:
    refusals = 0
    for text, names in table("ignored"):
        (tree / ".dockerignore").write_bytes(text.encode())
        found = sent(tree)
        # Docker finds some mistakes only when it comes to ask after such a pattern.
        refusals += found is None and names is not None
        assert found in (names, None), text
    assert refusals < 15


def test_a_dockerfile_s_own_ignore_file_takes_the_place_of_the_folder_s(tree: Path) -> None:
    (tree / ".dockerignore").write_text("pkg\n")
    (tree / "Dockerfile.dockerignore").write_text("*\n!pkg/*/*.json\n")
    assert sent(tree) == ["pkg", "pkg/x", "pkg/x/a.json"]


def test_the_classic_builder_keeps_its_own_rule(tree: Path) -> None:
    (tree / ".dockerignore").write_text("*\n!pkg/*/*.json\n!b/c\n")
    names = [entry.name for entry in context.entries(str(tree), classic=True)]
    assert names == ["b/c", "b/c/a.json", "b/c/ab", "b/c/ab/.tmp", "b/c/d1", "b/c/d1/x-y"]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"*.x{number}" for number in range(10_000)),
        "\n".join((f"a{n}*b", f"!c{n}*/d")[n % 2] for n in range(10_000)),
        "\n".join(f"**/x{number}" for number in range(10_000)),
        f"{'**/' * 12}a*b\n{'/'.join(['**/*a'] * 10)}\n{'*a' * 30}b",
    ],
    ids=["alike", "in turn", "anywhere", "stars"],
)
def test_a_long_ignore_file_takes_seconds(tmp_path: Path, text: str) -> None:
    for number in range(300):
        (tmp_path / f"{'a' * 40}{number}").write_text("")
    (tmp_path / ".dockerignore").write_text(text)
    start = time.process_time()
    assert len(list(context.entries(str(tmp_path)))) == 301
    assert time.process_time() - start < 20


def test_a_dockerfile_of_five_megabytes_takes_seconds() -> None:
    lines = (f"RUN echo {n} <<< x && apt-get install \\\n # c\n  p{n}\n" for n in range(100_000))
    text = f"FROM a\n{''.join(lines)}COPY --from=b / /\n"
    start = time.process_time()
    assert len(text) > 5_000_000
    assert dockerfile.bases(text, {}) == ("a", "b")
    assert time.process_time() - start < 30
