"""Parameters of a request, each with its type, refused by name when wrong."""

from collections.abc import Mapping, Sequence


class BadParameter(Exception):
    """A parameter is absent or of the wrong type; the message is GitLab's."""


class Params:
    """Reads what a client sent: JSON has types, a query has only text."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def raw(self, name: str) -> object:
        """The value as it was sent."""
        return self._values.get(name)

    def required(self, name: str) -> str:
        """Text that must be there."""
        if self._values.get(name) is None:
            raise BadParameter(f"{name} is missing")
        return self.text(name)

    def text(self, name: str, default: str = "") -> str:
        """Text; a number is as good."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str | int):
            raise BadParameter(f"{name} is invalid")
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean, also as the words that a query holds."""
        word = self.text(name, str(default)).lower()
        if word not in ("true", "false", "1", "0"):
            raise BadParameter(f"{name} is invalid")
        return word in ("true", "1")

    def number(self, name: str) -> int | None:
        """A whole number, or nothing."""
        text = self.text(name)
        if text and not text.isdecimal():
            raise BadParameter(f"{name} is invalid")
        return int(text) if text else None

    def words(self, name: str) -> list[str]:
        """A list, or one string with commas."""
        value = self._values.get(name)
        items = value if isinstance(value, list) else str(value or "").split(",")
        return [word for item in items if (word := str(item).strip())]

    def mapping(self, name: str) -> dict[str, object]:
        """An object, or an empty one."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise BadParameter(f"{name} is invalid")
        return value or {}

    def choice(self, name: str, allowed: Sequence[str], default: str = "") -> str:
        """One of a few words."""
        value = self.text(name, default)
        if value != default and value not in allowed:
            raise BadParameter(f"{name} does not have a valid value")
        return value
