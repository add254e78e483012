"""What is around a verb that changes hosts: the hosts on which it failed last time, remembered."""

from collections.abc import Callable, Iterable

from runnerkit.errors import KitError
from runnerkit.fleet import failures
from runnerkit.fleet.operation import Operation
from runnerkit.report.page import Page, note
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


def remembered(run: Callable[[], Page], operation: Operation, targets: Iterable[Target]) -> Page:
    """Run a verb, and remember where it failed; a host of which it says nothing was not begun."""
    names = [target.name for target in targets]
    try:
        page = run()
    except KitError:
        _remember(operation, names, names)
        raise
    hosts = page.data.get("hosts")
    done = {one["host"] for one in hosts if not one["error"]} if isinstance(hosts, list) else {}
    _remember(operation, names, [name for name in names if name not in done])
    return page


def _remember(operation: Operation, names: list[str], failed: list[str]) -> None:
    try:
        failures.remember(operation, names, failed)
    except OSError as error:
        note(f"note: --only-failed will not know of this run: {failures.file()}: {error.strerror}")
