"""What goes on, as it goes on: told to one listener, who may show it, count it or write it down."""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Phase:
    """The work on a host has come to something that is no change: connecting, waiting."""

    text: str


@dataclass(frozen=True)
class Began:
    """A change is about to be made: the `number`-th of `total` that are known of."""

    title: str
    number: int
    total: int


@dataclass(frozen=True)
class Ended:
    """A change was made."""

    title: str


@dataclass(frozen=True)
class Detail:
    """A line of what a change goes through. May come from a program: secrets are masked in it. `lasting`
    is whether it is of use afterwards: a choice that was made."""

    text: str
    lasting: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a transfer is: `done` of `total` bytes (None where that is not known), of `name`."""

    done: int
    total: int | None = None
    name: str = ""


Event = Phase | Began | Ended | Detail | Progress
Tell = Callable[[Event], None]
Listener = Callable[[str, Event], None]  # the host's name, and what goes on there


def of_host(listener: Listener, host: str) -> Tell:
    """The listener, for one host."""
    return lambda event: listener(host, event)


def named(name: str, tell: Tell) -> Tell:
    """The same for a change that goes on beside others: it says of which it speaks."""

    def tell_named(event: Event) -> None:
        match event:
            case Detail(text):
                tell(replace(event, text=f"{name}: {text}"))
            case Progress():
                tell(replace(event, name=name))
            case _:
                tell(event)

    return tell_named
