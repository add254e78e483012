"""Columns side by side, within the width of the terminal that shows them."""

import re
import shutil
import sys
from collections.abc import Callable, Sequence

from runnerkit.printable import in_one_line

GAP = "  "
LEAST, SPLIT = 8, 12  # cells of a column that gives way; of one whose words do
WORD = re.compile(r"^ *\S*|\S+")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of all rows, below the heads; nothing where there is no row."""
    return [line for row in grid(heads, rows) for line in row]


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The heads and each row, as lines: of several where a terminal is too narrow for one. Letters may
    take two cells."""
    if not rows:
        return []
    if all(cell.isascii() for row in (heads, *rows) for cell in row):
        cell_len: Callable[[str], int] = len  # importing takes longer than looking at a host
    else:
        from rich.cells import cell_len

    rows = [[in_one_line(cell) for cell in row] for row in (heads, *rows)]
    columns = list(zip(*rows, strict=True))
    full = [max(map(cell_len, column)) for column in columns]
    words = [max(cell_len(word) for cell in one for word in WORD.findall(cell)) for one in columns]
    widths = _within(full, words, _room() - len(GAP) * (len(full) - 1))

    def lines(row: Sequence[str]) -> list[str]:
        cells = [_folded(cell, width, cell_len) for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, cells))
        filled = [[*cell, *[""] * (height - len(cell))] for cell in cells]
        return [
            GAP.join(
                part + " " * (width - cell_len(part))
                for part, width in zip(parts, widths, strict=True)
            ).rstrip()
            for parts in zip(*filled, strict=True)
        ]

    return [lines(row) for row in rows]


def _room() -> int:
    """Cells in a line; without end where no terminal shows it."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def _within(full: Sequence[int], words: Sequence[int], room: int) -> list[int]:
    """Widths of which the widest give way: no further than their longest word, but where that is not
    enough; as they are where nothing is."""
    for least in ([max(word, LEAST) for word in words], [SPLIT] * len(words)):
        widths = [*full]
        while sum(widths) > room:
            able = [at for at, width in enumerate(widths) if width > least[at]]
            if not able:
                break
            widths[max(able, key=widths.__getitem__)] -= 1
        else:
            return widths
    return [*full]


def _folded(cell: str, width: int, cell_len: Callable[[str], int]) -> list[str]:
    """A cell's lines, at its spaces where they help."""
    lines = []
    while cell_len(cell) > width:
        end = min(len(cell), width)
        while cell_len(cell[:end]) > width:
            end -= 1
        end = max(end, 1)
        space = cell.rfind(" ", 1, end + 1)
        word = cell[space + 1 :].partition(" ")[0]
        cut = space if space > 0 and cell_len(word) <= width else end
        lines.append(cell[:cut].rstrip())
        cell = cell[cut:].lstrip()
    return [*lines, cell]
