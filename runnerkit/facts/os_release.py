"""A host's os-release file, as data."""

import shlex


def parse(text: str) -> dict[str, str]:
    """An os-release file: assignments as a shell reads them, os-release(5). What is none is passed over."""
    found = {}
    for line in text.lstrip("\ufeff").splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key.isidentifier():
            try:
                words = shlex.split(value, comments=True)
            except ValueError:  # a quote that does not end
                words = [value.strip("\"'")]
            found[key] = "".join(letter for letter in " ".join(words) if letter.isprintable())
    return found
