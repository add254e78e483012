"""What was typed wrongly, told with the nearest right word, or with how it is typed."""

import re
from collections.abc import Iterable, Sequence

from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext

from runnerkit.errors import KitError, nearest

NEAR = 0.5  # of the menu's few words one is meant
BLANK = "init"  # which writes a file without hosts too
PREPOSITIONS = ("to",)  # typed with their dashes, though they must be there


def usage(context: ParserContext) -> str:
    """How a task is typed: what must be there, and hosts."""
    names = [_flag(one.name) for one in context.positional_args]
    words = [f"--{name} {name.upper()}" if name in PREPOSITIONS else name.upper() for name in names]
    hosts = ["--host HOST"] if "--host" in context.flags and context.name != BLANK else []
    return " ".join(["./inv", context.name or "", *words, *hosts])


def misspelt(error: ParseError, menu: Sequence[str], core: ParserContext) -> KitError:
    """What Invoke could not parse.

    Args:
        error: what it says.
        menu: the names of all tasks.
        core: the options that belong to no task.
    """
    words = re.findall(r"'([^']*)'", str(error))
    word, context = words[0] if words else "", error.context
    task = context.name if context and context.name else ""
    if context and "required positional" in str(error):
        return _missing(words[1:], context)
    if "needed value" in str(error):
        flag = re.search(r"<Argument: (\w+)", str(error))
        option = _flag(flag[1]) if flag else "an option"
        return KitError(f"--{option} needs a value", f"./inv --help {task} shows what it takes")
    if "No idea what" not in str(error):
        return KitError(str(error), "./inv --help shows how it is typed")
    return _unknown(word, context or core, task, menu)


def _missing(words: Sequence[str], context: ParserContext) -> KitError:
    """What must be there and is not, with what each of it is."""
    flags = [_flag(one) for one in words]
    names = [f"--{one}" if one in PREPOSITIONS else one.upper() for one in flags]
    every = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    what = f"{every} {'is' if len(names) == 1 else 'are'} missing"
    texts = (
        f"{_flag(one.name).upper()} is {one.help}"
        for one in context.positional_args
        if one.name in words
    )
    return KitError(f"{context.name}: {what}", f"{usage(context)}; {'; '.join(texts)}")


def _flag(name: str | None) -> str:
    return (name or "").rstrip("_").replace("_", "-")


def _unknown(word: str, context: ParserContext, task: str, names: Sequence[str]) -> KitError:
    if task:
        no_option_as_value(context)
    if word.startswith("-"):
        return no_option(word, context)
    group = [name for name in names if name.startswith(f"{word}.")]
    if group:
        return KitError(f"{word} alone is no task", f"type one of {', '.join(group)}")
    if task and "--host" in context.flags:
        if f"--{word}" in context.flags:
            return no_option(word, context)
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


def no_option_as_value(context: ParserContext) -> None:
    """Refuse an option that is unknown, and was taken for what a task or another option wants."""
    for argument in context.args.values():
        if isinstance(argument.value, str) and re.match(r"--?[A-Za-z]", argument.value):
            raise no_option(argument.value.partition("=")[0], context)


def no_option(word: str, context: ParserContext) -> KitError:
    options: Iterable[str] = [flag for flag in context.flags if flag.startswith("--")]
    if re.fullmatch("-[A-Za-z]", word):  # the only one that begins so
        begin = [flag for flag in options if flag.startswith(f"-{word.lower()}")]
        options = begin if len(begin) == 1 else ()
    what = f"{context.name} has no option" if context.name else "there is no option"
    help_ = f"./inv --help {context.name or ''}".rstrip()
    near = nearest(word, options, NEAR if len(word) > 2 else 0)
    return KitError(f"{what} {word}{near}", f"{help_} shows what there is")
