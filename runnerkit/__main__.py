"""The installed command: the menu of tasks.py, from any folder."""

import os
import sys
from importlib import import_module

from invoke.program import Program

from runnerkit import __version__
from runnerkit.place import ROOT

NAME = "runnerkit"


def main() -> None:
    """Run what is typed; without a word, the list of what there is."""
    os.environ["RUNNERKIT_COMMAND"] = NAME
    sys.path.insert(0, str(ROOT))  # tasks and sandbox are not for others to import
    menu = import_module("tasks").namespace
    program = Program(__version__, menu, name=NAME, binary=NAME, binary_names=[NAME])
    program.run(sys.argv if sys.argv[1:] else [*sys.argv, "--list"])


if __name__ == "__main__":
    main()
