"""A file of this machine, written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A new file beside it, for its owner alone, that takes its place once it is written.

    Raises:
        OSError: it cannot be written; the former one stays.
    """
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600
    new = Path(name)
    try:
        yield new
        os.fsync(number)
        new.replace(file)
    finally:
        os.close(number)
        new.unlink(missing_ok=True)
