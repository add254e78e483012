"""What is typed, run: with the nearest right word for a wrong one, and an end without a traceback."""

import io
import itertools
import json
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module

from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

from runnerkit import __version__
from runnerkit.errors import KitError, nearest
from runnerkit.place import ROOT
from runnerkit.report.page import SCHEMA, discard

NAME = "runnerkit"
NEAR = 0.5  # of the menu's few words one is meant
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

    def parse_tasks(self) -> None:
        try:
            super().parse_tasks()
            for context in self.tasks:
                _no_option_as_value(context)
        except ParseError as error:
            self._tell(self._misspelt(error))
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
            self._tell(self._misspelt(error))

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
                raise _no_option(f"-{letters[1]}", context)
            if word and one in ("--dry", "--dry-run") and one not in context.flags:
                if "--dry-run" in context.flags:
                    raise _no_option(one, context)
                fix = "leave it out: plan changes nothing" if word == "plan" else DRY
                raise KitError(f"{word} has no option {one}", fix)

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

    def _misspelt(self, error: ParseError) -> KitError:
        words = re.findall(r"'([^']*)'", str(error))
        word, context = words[0] if words else "", error.context
        task = context.name if context and context.name else ""
        if "required positional" in str(error):
            names = " ".join(one.upper() for one in words[1:])
            return KitError(
                f"{task}: {names} is missing", f"type ./inv {task} {names} …; ./inv --help {task}"
            )
        if "needed value" in str(error):
            flag = re.search(r"<Argument: (\w+)", str(error))
            option = flag[1].rstrip("_").replace("_", "-") if flag else "an option"
            return KitError(f"--{option} needs a value", f"./inv --help {task} shows what it takes")
        if "No idea what" not in str(error):
            return KitError(str(error), "./inv --help shows how it is typed")
        return self._unknown(word, context, task)

    def _unknown(self, word: str, context: ParserContext | None, task: str) -> KitError:
        if context and task:
            _no_option_as_value(context)
        if word.startswith("-"):
            return _no_option(word, context or self.initial_context)
        names = list(self.collection.task_names)
        group = [name for name in names if name.startswith(f"{word}.")]
        if group:
            return KitError(f"{word} alone is no task", f"type one of {', '.join(group)}")
        if task and context and "--host" in context.flags:
            if f"--{word}" in context.flags:
                return _no_option(word, context)
            taken = {one.name: one.value for one in context.positional_args}
            also = {
                "names": f"images are named in one word, {taken.get('names')},{word}; ",
                "image": f"it takes one image, {taken.get('image')}; ",
            }
            more = "".join(text for name, text in also.items() if taken.get(name))
            hint = "" if more else nearest(word, names, NEAR)
            hosts = ",".join(filter(None, (context.args["host"].value, word)))
            return KitError(
                f"{task} takes no word {word!r}{hint}", f"{more}hosts are given as --host {hosts}"
            )
        last = {name.rpartition(".")[2]: name for name in names}
        if word in last:
            return KitError(
                f"no task {word!r} (did you mean {last[word]!r}?)", "./inv --list shows all"
            )
        every = [*names, "--help", "--list", "--version"]
        return KitError(f"no task {word!r}{nearest(word, every, NEAR)}", "./inv --list shows all")


def _no_option_as_value(context: ParserContext) -> None:
    """Refuse an option that is unknown, and was taken for what a task or another option wants."""
    for argument in context.args.values():
        if isinstance(argument.value, str) and re.match(r"--?[A-Za-z]", argument.value):
            raise _no_option(argument.value.partition("=")[0], context)


def _no_option(word: str, context: ParserContext) -> KitError:
    options: Iterable[str] = [flag for flag in context.flags if flag.startswith("--")]
    if re.fullmatch("-[A-Za-z]", word):  # the only one that begins so
        begin = [flag for flag in options if flag.startswith(f"-{word.lower()}")]
        options = begin if len(begin) == 1 else ()
    what = f"{context.name} has no option" if context.name else "there is no option"
    help_ = f"./inv --help {context.name or ''}".rstrip()
    near = nearest(word, options, NEAR if len(word) > 2 else 0)
    return KitError(f"{what} {word}{near}", f"{help_} shows what there is")
