"""Whether a reader's time grows as its text does."""

import time
from collections.abc import Callable


def linear(read: Callable[[str], object], piece: str, size: int) -> bool:
    """Whether four times as much of a piece takes no more than some four times as long.

    Measured up to four times: a moment in which the machine is slow is not the reader's.

    Args:
        read: the reader.
        piece: what the text repeats.
        size: letters of the shorter text.
    """

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start = time.process_time()
        read(text)
        return time.process_time() - start

    return any(seconds(4 * size) < 8 * seconds(size) + 0.2 for _ in range(4))
