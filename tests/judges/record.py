"""Writes down what the judges say: `python -m tests.judges.record`, where Go is."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.judges import inputs

HERE = Path(__file__).parent
RECORDED = HERE.parent / "unit" / "recorded"


def build(folder: Path) -> Path:
    """The judges' program."""
    program = folder / "judges"
    subprocess.run(["go", "build", "-o", program, "."], cwd=HERE, check=True)
    return program


def ask(program: Path, judge: str, asked: list[Any]) -> list[dict[str, Any]]:
    """What that judge says of each."""
    lines = "".join(f"{json.dumps(one)}\n" for one in asked)
    ran = subprocess.run([program, judge], input=lines, text=True, capture_output=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def verdicts(program: Path, folder: Path) -> dict[str, list[tuple[Any, list[str] | None]]]:
    """The tables: what was asked, and the names; None for what is refused.

    A Dockerfile that is refused is left out: the builder tells what is wrong with it.
    """
    for name in inputs.FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    files, ignores, names = inputs.dockerfiles(1500), inputs.ignores(600), inputs.references()
    folders = [{"patterns": text, "folder": str(folder)} for text in ignores]
    return {
        "bases": _rows(files, ask(program, "bases", files), refused=False),
        "ignored": _rows(ignores, ask(program, "ignored", folders)),
        "around": _rows(asked := inputs.around(1000), ask(program, "around", asked)),
        "references": _rows(names, ask(program, "reference", names)),
    }


def _rows(
    asked: list[Any], answers: list[dict[str, Any]], refused: bool = True
) -> list[tuple[Any, list[str] | None]]:
    return [
        (one, None if answer.get("error") else answer["names"])
        for one, answer in zip(asked, answers, strict=True)
        if refused or not answer.get("error")
    ]


def write() -> None:
    """Write the tables anew, a row a line."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tree").mkdir()
        tables = verdicts(build(Path(folder)), Path(folder) / "tree")
    for name, rows in tables.items():
        text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (RECORDED / f"{name}.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    write()
