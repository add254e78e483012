"""What is around a verb that changes hosts: its hooks, and where it failed last time, remembered."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from runnerkit.errors import KitError, interruptible
from runnerkit.fleet import failures
from runnerkit.fleet.operation import Operation
from runnerkit.menu.hooks import after, before
from runnerkit.report.page import Page, note
from runnerkit.settings.hooks import Hooks
from runnerkit.settings.model import Settings
from runnerkit.settings.targets import Known, Target, choose


def last_failed(
    operation: Operation, host: str, settings: Settings, known: Known
) -> tuple[Target, ...]:
    """The hosts on which the verb failed last time.

    Args:
        operation: the verb, and its settings.
        host: what was typed as --host, which narrows them further; "" for nothing.
        settings: where hosts have names.
        known: as `choose` has it.
    """
    names = failures.last(operation)
    if host:
        return tuple(one for one in choose(host, settings, known) if one.name in names)
    there = [
        one for one in names if one in settings.hosts or set(one) & set("@.:") or known(one)
    ]  # and not out of the settings since
    return tuple(choose(",".join(there), settings, known)) if there else ()


def none_failed(operation: Operation) -> Page:
    """What is shown where none did."""
    line = f"{operation.verb} failed on none of these hosts last time: nothing is done"
    return Page([line], {"hosts": []})


def changed(
    run: Callable[[], Page], operation: Operation, hooks: Hooks, targets: Sequence[Target]
) -> Page:
    """Run a verb between its hooks, and remember where it failed.

    Args:
        run: the verb; a host of which its page says nothing was not begun.
        operation: the same as data.
        hooks: the settings'.
        targets: the hosts.
    """
    names = [target.name for target in targets]
    before(hooks, operation, targets)
    try:
        with interruptible():
            page = run()
    except KitError as error:
        _remember(operation, names, names)
        try:
            after(hooks, operation, (), error.code or 1, error.what)
        except KitError as failure:
            note(str(failure))
        raise
    listed = page.data.get("hosts")
    hosts = listed if isinstance(listed, list) else []
    rows = {name: [one for one in hosts if one.get("host") == name] for name in names}
    failed = [name for name, own in rows.items() if not own or any(one.get("error") for one in own)]
    _remember(operation, names, failed)
    try:
        after(hooks, operation, hosts, page.code)
    except KitError as failure:
        messages, data = [*page.messages, str(failure)], {**page.data, **failure.data()}
        return replace(page, messages=messages, data=data, code=page.code or 1)
    return page


def _remember(operation: Operation, names: list[str], failed: list[str]) -> None:
    try:
        failures.remember(operation, names, failed)
    except OSError as error:
        note(f"note: --only-failed will not know of this run: {failures.file()}: {error.strerror}")
