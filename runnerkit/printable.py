"""The one gate before a terminal: what GitLab, hosts, jobs and files say is shown, never obeyed."""

import re

# Controls of C0 (but tab and line feed) and C1, separators of lines, marks of direction, and letters
# without a width, which hide what stands before a reader.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
INDENT = "    "


def printable(text: str) -> str:
    """The text with all that a terminal would obey in its escaped form: \\x1b, \\u202e."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def in_one_line(text: str) -> str:
    """The same without a break of line."""
    return printable(text).replace("\n", "\\n")


def hanging(text: str) -> str:
    """The same with its further lines indented, so that none is taken for one of the kit's own."""
    return re.sub(rf"\n(?!{INDENT})", f"\n{INDENT}", printable(text))
