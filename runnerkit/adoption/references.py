"""Secrets by reference: each gets the name of a variable, and what it is stays outside of the file."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runnerkit.settings.secrets import Secret


class Reference(dict[str, str]):
    """Where a secret is kept, as the file has it."""


@dataclass
class References:
    """The variables that a settings file names: their secrets, and where hosts have them."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def name(self, secret: Secret, words: str, place: str) -> str:
        """The variable for a secret; a new one where another secret has that name, here too.

        A host chooses much of the name, and would be given what that variable holds.
        """
        stem = re.sub(r"[^A-Z0-9]+", "_", words.upper()).strip("_")
        name, number = stem, 1
        value = secret.reveal()
        while self.secrets.get(name, secret) != secret or os.environ.get(name, value) != value:
            number += 1
            name = f"{stem}_{number}"
        self.secrets[name] = secret
        self.places.setdefault(name, place)
        return name

    def filed(self, value: Any, prefix: str, place: str, key: str = "") -> Any:
        """The value with a reference in the place of each secret."""
        if isinstance(value, Secret):
            return Reference(env=self.name(value, f"{prefix}_{key}", f"{key} {place}"))
        if isinstance(value, Mapping):
            return {one: self.filed(each, prefix, place, one) for one, each in value.items()}
        return (
            [self.filed(one, prefix, place, key) for one in value]
            if isinstance(value, list)
            else value
        )

    def used(self, value: Any) -> dict[str, str]:
        """The variables that are named in there, and where hosts have what they are to hold."""
        if isinstance(value, Reference):
            return {name: self.places[name] for name in value.values() if name in self.places}
        each = value.values() if isinstance(value, Mapping) else value
        several = each if isinstance(value, Mapping | list) else ()
        return {name: place for one in several for name, place in self.used(one).items()}

    def filled(self, value: Any) -> Any:
        """The value with each secret in the place of its reference."""
        if isinstance(value, Reference):
            return self.secrets[value["env"]]
        if isinstance(value, Mapping):
            return {key: self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value
