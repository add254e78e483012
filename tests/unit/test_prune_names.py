"""The prune on a host compares images by the same names as the kit."""

import itertools
import json
import re
import shutil
import subprocess

import pytest

from runnerkit.images.reference import normal
from runnerkit.place import ROOT
from tests.judges.record import RECORDED

DOMAINS = (
    "",
    "docker.io/",
    "index.docker.io/",
    "reg:5000/",
    "reg.example.com/",
    "localhost/",
    "Reg/",
)
PATHS = ("a", "library", "library/a", "library/a/b", "a/library/b", "library/library/a", "x.y/a")
TAILS = ("", ":12", "@sha256:00", ":12@sha256:00")
ODD = (
    "docker.io",
    "docker.io/",
    "library/",
    "a/b/",
    "a:",
    "a@",
    "a_b.c/d",
    "[::1]:5000/a",
    "a:b:c/d",
)


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox awk", "awk"])
def test_names_are_those_of_the_kit(awk: str) -> None:
    if not shutil.which(awk.split(maxsplit=1)[0]):
        pytest.skip(f"no {awk} here")
    names = ["".join(parts) for parts in itertools.product(DOMAINS, PATHS, TAILS)]
    names += [*ODD, *(name for name, _ in json.loads((RECORDED / "references.json").read_text()))]
    names = [name for name in names if name.isascii() and name.isprintable()]
    found = re.search(
        r"function normal.*?\n}\n", (ROOT / "templates/prune.awk").read_text(), re.DOTALL
    )
    assert found
    program = [*awk.split(), f"{found[0]}{{ print normal($0) }}"]
    output = subprocess.run(
        program, input="\n".join(names), capture_output=True, text=True, check=True
    )
    assert dict(zip(names, output.stdout.split("\n"), strict=False)) == {
        n: normal(n) for n in names
    }
