"""The installed command: the menu of tasks.py, from any folder."""

import os
import sys
from importlib import import_module

from runnerkit import program
from runnerkit.place import ROOT


def main() -> None:
    """Run what is typed."""
    os.environ["RUNNERKIT_COMMAND"] = program.NAME
    sys.path.insert(0, str(ROOT))  # tasks and sandbox are not for others to import
    program.run(import_module("tasks").namespace)


if __name__ == "__main__":
    main()
