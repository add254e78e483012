"""What is typed, run: with the nearest right word for a wrong one, and an end without a traceback."""

import inspect
import io
import itertools
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from importlib import import_module

from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

from runnerkit import __version__
from runnerkit.errors import INTERRUPTED, KitError
from runnerkit.menu.mistyped import misspelt, no_option, no_option_as_value, usage
from runnerkit.place import ROOT, typed
from runnerkit.report.page import SCHEMA, discard

NAME = "runnerkit"
DRY = "./inv plan shows what bootstrap would change, image.prune --dry-run what would go"


def main() -> None:
    """The installed command: the menu of tasks.py, from any folder."""
    os.environ["RUNNERKIT_COMMAND"] = NAME
    sys.path.insert(0, str(ROOT))  # tasks and sandbox are not for others to import
    run(import_module("tasks").namespace)


def run(menu: Collection) -> None:
    """Run what is typed; without a word, the list of what there is."""
    command = os.environ.get("RUNNERKIT_COMMAND") or NAME
    program = Kit(__version__, menu, name=NAME, binary=command, binary_names=[NAME])
    try:
        program.run(sys.argv if sys.argv[1:] else [*sys.argv, "--list"])
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C: threads end without words


class Kit(Program):
    """Invoke's own program, but for what it says where it ends."""

    listing = True  # and nothing else has begun, or failed

    def run(self, argv: list[str] | None = None, exit: bool = True) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # in order with the other, whatever letters
                stream.reconfigure(errors="replace", line_buffering=True)
        try:
            super().run(argv, exit)
        except OSError as error:
            sys.exit(self._unread(error))
        except SystemExit as end:
            if isinstance(end.__context__, KeyboardInterrupt):  # Invoke makes 1 of it
                sys.exit(INTERRUPTED)
            raise
        except KeyboardInterrupt:  # while an end was told
            sys.exit(INTERRUPTED)

    def parse_tasks(self) -> None:
        try:
            super().parse_tasks()
            for context in self.tasks:
                no_option_as_value(context)
        except ParseError as error:
            self._tell(misspelt(error, list(self.collection.task_names), self.initial_context))
        except KitError as error:
            self._tell(error)

    def _make_parser(self) -> Parser:
        parser = super()._make_parser()  # Invoke takes the help texts out of the tasks: only once
        self._read_as_letters(parser.contexts)
        return parser

    def parse_cleanup(self) -> None:
        try:
            super().parse_cleanup()
        except ParseError as error:
            self._tell(misspelt(error, list(self.collection.task_names), self.initial_context))

    def execute(self) -> None:
        self.listing = False
        try:
            super().execute()
        except KitError as error:
            self._tell(error)

    def _read_as_letters(self, contexts: Mapping[str, ParserContext]) -> None:
        """Refuse what Invoke takes otherwise than it is meant: -host as -h -o -s -t, and --dry for its own."""
        word = next((one for one in self.argv[1:] if one in contexts), None)
        context = contexts[word] if word else self.initial_context
        for one in itertools.takewhile(lambda one: one != "--", self.argv[1:]):
            letters = re.fullmatch(r"-([A-Za-z][\w-]{2,})(=.*)?", one)
            known = self.initial_context.flags
            if letters and not all(f"-{letter}" in known for letter in letters[1]):
                raise no_option(f"-{letters[1]}", context)
            if word and one in ("--dry", "--dry-run") and one not in context.flags:
                if "--dry-run" in context.flags:
                    raise no_option(one, context)
                fix = "leave it out: plan changes nothing" if word == "plan" else DRY
                raise KitError(f"{word} has no option {one}", fix)

    def print_task_help(self, name: str) -> None:
        """With what must be there in its place, which Invoke calls options."""
        context = self.parser.contexts[name]
        print(
            f"Usage: {typed(usage(context))} [--options]\n\n{inspect.getdoc(self.collection[name])}\n"
        )
        if texts := context.help_tuples():
            print("Options:")
            self.print_columns(texts)

    def _tell(self, error: KitError) -> None:
        """End with it, and where data was asked for, with the same as data."""
        self.listing = False
        if "--json" in self.argv:
            try:
                print(json.dumps({"schema": SCHEMA, "hosts": [], **error.data()}, indent=2))
            except OSError:
                discard(1)
        raise error

    def _unread(self, error: OSError) -> int:
        """The exit code where nobody takes the output, there is no room for it, or a file cannot be had."""
        discard(1)
        if isinstance(error, BrokenPipeError):
            discard(2)  # which of the two it was does not show
            return int(not self.listing)  # a list was read as far as somebody wanted to
        if error.filename is not None:
            end = KitError(f"{error.filename}: {error.strerror}", "see that it is there and yours")
        else:
            end = KitError(
                f"the output cannot be written: {error.strerror}", "make room where it goes"
            )
        print(end, file=sys.stderr)
        return 1
