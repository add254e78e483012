"""Tables of the settings whose keys go to the host's files as they are, but for secrets.

At any depth what has a secret's name is where the secret is kept, and not the secret. Variables,
which config.toml has as a list of NAME=value, may be written as a table, so that one can be a secret.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from runnerkit.errors import KitError, nearest
from runnerkit.settings import check
from runnerkit.settings.known_keys import Known
from runnerkit.settings.secrets import NEVER, Secret, Source, names_secret, tells_about

Section = TypeVar("Section", bound=msgspec.Struct)
VARIABLES = "environment"
PLUGIN = "plugin_config"
SOURCES = {*Source.__struct_fields__}
NEAR = 0.85  # a key of a newer program may resemble a known one a little
REFERENCE = re.compile(r"\$\w+|\$\{\w+\}")  # of a variable that the program itself fills in


def mistakes(value: Any, path: str, known: Known | None = None, key: str = "") -> Iterator[str]:
    """Secrets in clear, other types than the kit reads, and keys that are nearly known, a line each."""
    if known is not None and not isinstance(known, Mapping):
        wrong = [f"{path}{check.written(at)}: {text}" for at, text in check.mistakes(value, known)]
        yield from wrong or mistakes(value, path, None, key)
    elif key == VARIABLES and known is not None:
        yield from _variables(value, path)
    elif names_secret(key) and not isinstance(value, dict | list):
        if value and not isinstance(value, bool) and not REFERENCE.fullmatch(str(value)):
            yield f"{path}: {NEVER}"
    elif isinstance(value, dict) and _is_source(key, value):
        return
    elif (
        isinstance(value, dict) and names_secret(key) and (known is not None or {*value} & SOURCES)
    ):
        yield f"{path}: {NEVER}"
    elif isinstance(value, dict):
        for inner, one in value.items():
            if known and inner not in known and (hint := nearest(inner, known, NEAR)):
                yield f"{path}.{inner}: unknown key{hint}"
            below = (known or {}).get(inner)
            yield from mistakes(one, f"{path}.{inner}", below, judged_by(inner, key))
    elif isinstance(value, list):
        for one in value:
            yield from mistakes(one, path, known, key)


def read(value: Any, path: str, key: str = "") -> Any:
    """The same with its secrets read.

    Raises:
        KitError: a secret is not there.
    """
    if _is_source(key, value):
        source = msgspec.convert(value, Source)
        if (secret := source.read()) is None:
            raise KitError(f"{path} is empty: {source}", "set it, and run again")
        return secret
    if isinstance(value, Mapping):
        return {
            inner: read(one, f"{path}.{inner}", judged_by(inner, key))
            for inner, one in value.items()
        }
    return [read(one, path, key) for one in value] if isinstance(value, list) else value


def filled(section: Section, path: str, *tables: str) -> Section:
    """A section of the settings with the secrets of such tables read."""
    found = {table: read(getattr(section, table), f"{path}.{table}") for table in tables}
    return msgspec.structs.replace(section, **found)


def shown(value: Any, show: Callable[[Secret], str], key: str = "") -> Any:
    """The same as the host's files have it, its secrets shown: in clear there, as *** for people."""
    if isinstance(value, Secret):
        return show(value)
    if isinstance(value, Mapping) and key == VARIABLES:
        return [f"{name}={_word(shown(one, show))}" for name, one in value.items()]
    if isinstance(value, Mapping):
        return {
            inner: _secrets_shown(one, show) if inner == PLUGIN else shown(one, show, inner)
            for inner, one in value.items()
        }
    return [shown(one, show, key) for one in value] if isinstance(value, list) else value


def _secrets_shown(value: Any, show: Callable[[Secret], str]) -> Any:
    """The same of a table whose keys are somebody else's, variables or not."""
    if isinstance(value, Secret):
        return show(value)
    if isinstance(value, Mapping):
        return {key: _secrets_shown(one, show) for key, one in value.items()}
    return [_secrets_shown(one, show) for one in value] if isinstance(value, list) else value


def _is_source(key: str, value: Any) -> bool:
    """Whether a table says where the secret of that name is kept."""
    return names_secret(key) and isinstance(value, Mapping) and _converts(value)


def _converts(value: Mapping[str, Any]) -> bool:
    try:
        msgspec.convert(dict(value), Source)
    except msgspec.ValidationError:
        return False
    return True


def judged_by(key: str, above: str) -> str:
    """What a key is judged by: in a table that is named as a secret, every part may be the secret."""
    return above if names_secret(above) and not tells_about(key) else key


def _variables(value: Any, path: str) -> Iterator[str]:
    """The mistakes of variables: a list of NAME=value, or a table."""
    if isinstance(value, dict):
        for name, one in value.items():
            if names_secret(name):
                yield from mistakes(one, f"{path}.{name}", {}, name)
            elif isinstance(one, dict | list):
                yield f"{path}.{name}: a variable is a text"
    elif not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        yield f'{path}: not a list of variables, like ["NAME=value"], and no table of them'
    else:
        for one in value:
            yield from _variable(one, path)


def _variable(text: str, path: str) -> Iterator[str]:
    name, _, value = text.partition("=")
    if value and names_secret(name) and not REFERENCE.fullmatch(value):
        yield f'{path}: {name} is a secret: write {VARIABLES} as a table, {name} = {{ env = "NAME" }}'


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
