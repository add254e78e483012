"""What a Dockerfile builds on, as Docker reads it."""

import pytest

from runnerkit.errors import KitError
from runnerkit.images import dockerfile, ignore

BASES = {
    "FROM debian:bookworm": ["debian:bookworm"],
    "from debian AS build\nFROM build\nFROM scratch\nFROM build": ["debian"],
    "ARG V=24\nFROM node:${V}-slim AS a\nFROM node:$V\nCOPY --from=a / /": ["node:22-slim", "node:22"],
    "ARG R\nFROM ${R:-debian}:bookworm\nFROM a${R:+b}": ["a"],
    'ARG W="13"\nARG D=trixie-$W\nFROM debian:$D': ["debian:trixie-13"],
    "FROM --platform=linux/amd64 a:1 AS x\nCOPY --from=x /a /\nCOPY --chown=1 --from=b:2 /a /": ["a:1", "b:2"],
    "FROM a\nRUN --mount=type=bind,from=c:3,target=/x true\nRUN --mount=type=cache,target=/y true": ["a", "c:3"],
    "FROM a AS One\nFROM b\nCOPY --from=one / /\nCOPY --from=0 / /": ["a", "b"],
    "# FROM no\nFROM a \\\n  # comment\n  AS x\nRUN <<EOF\nFROM no\nEOF\nRUN echo \\\n  FROM no": ["a"],
    "FROM a\nFROM a": ["a"],
    f"ARG A={'a' * 60}\nFROM x${{A/{'*a' * 20}b/}}": [f"x{'a' * 60}"],  # at once
}  # fmt: skip


@pytest.mark.parametrize("text", BASES)
def test_bases_are_found(text: str) -> None:
    assert list(dockerfile.bases(text, {"V": "22"})) == BASES[text]


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("COPY ../x /", True), ("ADD a/../../x /", True), ('COPY ["../x", "/"]', True),
        ("COPY --chown=1 /../x /", True), ("COPY a ../x", False), ("COPY a/../x /", False),
        ("COPY --from=a ../x /", False), ("RUN cp ../x /", False), ("COPY ..x /", False),
    ],
)  # fmt: skip
def test_what_is_copied_from_outside_the_folder_is_found(line: str, out: bool) -> None:
    assert bool(dockerfile.outside(f"FROM a\n{line}\n")) is out


@pytest.mark.parametrize("name", ["^a", "+.()", "a|b$", "{}"])
def test_a_name_without_wildcards_is_taken_as_it_is(name: str) -> None:
    """As Docker does since patternmatcher; 20.10 took some of them for regular expressions."""
    rules = ignore.parse(name, ".dockerignore")
    assert rules.matches(name, ())[0]
    assert not rules.matches("a", ())[0]


@pytest.mark.parametrize("text", ["!", "[", "a[b", "a\n!\n"])
def test_a_pattern_that_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(KitError, match="Docker refuses the pattern"):
        ignore.parse(text, ".dockerignore")
