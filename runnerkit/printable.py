"""The one gate before a terminal: what GitLab, hosts, jobs and files say is shown, never obeyed."""

import re

# Controls of C0 (but tab and line feed) and C1, separators of lines, marks of direction, and letters
# without a width, which hide what stands before a reader. Halves of letters, which no stream takes.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
INDENT = "    "
LETTERS = 1000  # of a line, of which the causes are searched
LEAST = 1 << 17  # letters at the beginning and at the end of an output, of which they are searched


def printable(text: str) -> str:
    """The text with all that a terminal would obey in its escaped form: \\x1b, \\u202e."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def clipped(text: str) -> str:
    """An output without its middle, and without the ends of its long lines.

    What is searched for causes comes from hosts, and some of these patterns take a line's length
    squared.
    """
    if len(text) > 2 * LEAST:
        text = f"{text[:LEAST]}\n[…]\n{text[-LEAST:]}"
    return "\n".join(line[:LETTERS] for line in text.split("\n"))


def in_one_line(text: str) -> str:
    """The same without a break of line."""
    return printable(text).replace("\n", "\\n")


def hanging(text: str) -> str:
    """The same with its further lines indented, so that none is taken for one of the kit's own."""
    return re.sub(rf"\n(?!{INDENT})", f"\n{INDENT}", printable(text))


def counted(number: int, noun: str) -> str:
    """So many of a noun in the singular: 1 image, 2 images."""
    return f"{number} {noun if number == 1 else re.sub('(?<![aeiou])ys$', 'ies', f'{noun}s')}"
