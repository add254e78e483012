"""What the tasks of the menu share: the options of those that work on hosts, and how they end."""

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task, task

from runnerkit.errors import KitError, interruptible
from runnerkit.menu.options import PACE, pace, text

if TYPE_CHECKING:
    from runnerkit.report.page import Page
    from runnerkit.settings.model import Settings
    from runnerkit.settings.targets import Target

Verb = Callable[..., "Page"]


def fleet_task(
    *words: str, name: str = "", alone: str = "", changes: bool = False
) -> Callable[[Verb], "Task[Any]"]:
    """A task that works on hosts: it is given the fleet, and its page is shown.

    Args:
        words: options that are laid over the settings, of `command_line.settings_of`.
        name: the task's, where it is not the function's.
        alone: an option of its own with which it needs neither hosts nor settings.
        changes: whether it changes hosts, and is given --at-once, --stop-on-failure, --wait and
            --only-failed.

    The task has the function's own options, these words, and --host, --json and
    --accept-new-host-keys.
    """

    def decorate(verb: Verb) -> "Task[Any]":
        own = list(inspect.signature(verb).parameters.values())[1:]

        @wraps(verb)
        def body(context: Context, /, **options: Any) -> None:
            from runnerkit.settings.model import Settings

            if context.config.run.dry:
                raise KitError(
                    "Invoke's --dry stops nothing here", "say plan, which changes nothing"
                )

            page = partial(verb, **{one.name: options[one.name] for one in own})
            if changes:
                shown = _changed(page, full(verb, name), words, options)
            elif alone and options[alone]:
                shown = _page(page, Settings(), ())
            else:
                settings = _settings(words, options)
                accept = options["accept_new_host_keys"]
                shown = _page(page, settings, _chosen(settings, options), accept)
            end(shown.show(options["json"]))

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        context = inspect.Parameter("_", kind)
        host = inspect.Parameter("host", kind, default="")
        paced = {**PACE, "only_failed": False}.items() if changes else ()
        flags = [
            *(inspect.Parameter(word, kind, default="") for word in words),
            *(inspect.Parameter(word, kind, default=value) for word, value in paced),
            *(
                inspect.Parameter(flag, kind, default=False)
                for flag in ("json", "accept_new_host_keys")
            ),
        ]
        needed = [one for one in own if one.default is inspect.Parameter.empty]
        optional = [one for one in own if one not in needed]
        parameters = [context, *needed, host, *optional, *flags]
        body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        options = (one.name.rstrip("_").replace("_", "-") for one in parameters[1:])
        texts = {option: text(name or verb.__name__, option) for option in options}
        return _task(body, name or verb.__name__, texts)

    return decorate


def plain_task(*options: str, name: str = "") -> Callable[[Callable[..., None]], "Task[Any]"]:
    """A task with these options that works on no hosts; Ctrl-C ends it as an error does.

    Args:
        options: as they are typed, without the dashes.
        name: the task's, where it is not the function's.
    """

    def decorate(body: Callable[..., None]) -> "Task[Any]":
        texts = {option: text(name or body.__name__, option) for option in options}
        return _task(interruptible()(body), name or body.__name__, texts)

    return decorate


def of_hosts(verb: Verb, host: str, url: str, json: bool, accept_new_host_keys: bool) -> None:
    """Show a page of hosts of which no settings file says anything yet."""
    from runnerkit.settings import command_line, targets
    from runnerkit.settings.load import load

    settings = load(None, command_line.settings_of({"url": url}))
    chosen = tuple(targets.choose(host, settings, _known))
    end(_page(verb, settings, chosen, accept_new_host_keys).show(json))


def of_settings(verb: Verb, json: bool, accept_new_host_keys: bool = False) -> None:
    """Show a page of the settings alone, which chooses its host itself, if any."""
    end(_page(verb, _settings((), {}), (), accept_new_host_keys).show(json))


def end(code: int) -> None:
    """End the task; what it had to say has been said."""
    if code:
        raise Exit(code=code)


def _page(
    verb: Verb,
    settings: "Settings",
    chosen: tuple["Target", ...],
    accept: bool = False,
    **more: Any,
) -> "Page":
    from runnerkit.fleet.run import Fleet
    from runnerkit.report.progress import progress

    with progress() as listener:
        return verb(Fleet(chosen, settings, listener, accept, **more))


def _changed(verb: Verb, title: str, words: tuple[str, ...], options: dict[str, Any]) -> "Page":
    """The page of a verb that changes hosts."""
    from runnerkit.fleet import operation
    from runnerkit.menu import changing
    from runnerkit.place import settings_file

    typed = pace(**{word: options[word] for word in PACE})
    settings = _settings(words, options)
    this = operation.of(title, settings_file())
    if not options["only_failed"]:
        chosen = _chosen(settings, options)
    elif not (chosen := changing.last_failed(this, options["host"], settings, _known)):
        return changing.none_failed(this)
    accept = options["accept_new_host_keys"]
    page = partial(_page, verb, settings, chosen, accept, pace=typed, operation=this)
    if options.get("dry_run"):
        return page()
    return changing.changed(page, this, settings.hooks, chosen)


def _task(body: Callable[..., None], name: str, texts: dict[str, str]) -> "Task[Any]":
    decorated: Task[Any] = task(name=name, help=texts, auto_shortflags=False)(body)
    return decorated


def full(verb: Verb, name: str) -> str:
    """A task as it is typed: image.build, of the function image_build."""
    group = verb.__name__.removesuffix(name).rstrip("_")
    return ".".join(filter(None, (group, name)))


def _settings(words: tuple[str, ...], options: dict[str, Any]) -> "Settings":
    from runnerkit.place import settings_file
    from runnerkit.settings import command_line
    from runnerkit.settings.load import load

    typed = command_line.settings_of({word: options[word] for word in words})  # asks for a token
    return load(settings_file(), typed)


def _chosen(settings: "Settings", options: dict[str, Any]) -> tuple["Target", ...]:
    from runnerkit.settings import targets

    return tuple(targets.choose(options["host"], settings, _known))


def _known(word: str) -> bool:
    from runnerkit.machine import names

    return names.known(word)
