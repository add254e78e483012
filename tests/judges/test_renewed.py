"""The recorded verdicts are those of the judges, asked anew where Go is."""

import json
import shutil
from pathlib import Path

import pytest

from tests.judges import record

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("go"), reason="Go is not here"),
]


def test_the_recorded_verdicts_are_what_the_judges_say(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    tables = record.verdicts(record.build(tmp_path), tmp_path / "tree")
    for name, rows in tables.items():
        recorded = (record.RECORDED / f"{name}.json").read_text(encoding="utf-8")
        assert json.loads(recorded) == json.loads(json.dumps(rows)), name
