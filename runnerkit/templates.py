"""Texts from templates: those of the kit, and the Dockerfiles that teams write as such."""

import shlex
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from runnerkit.place import DRAINED, LOCKS, TEMPLATES

if TYPE_CHECKING:
    import jinja2


def render(name: str, /, **values: object) -> str:
    """A template of the kit's.

    Raises:
        jinja2.TemplateError: it is none, or uses a name that is not given.
    """
    return _environment().get_template(name).render(values)


def render_foreign(read: Callable[[str], str | None], name: str) -> str:
    """A template that others wrote: it reaches no Python, and no file but those of `read`.

    Raises:
        Exception: whatever it makes of being no template, or of what it works out.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    loader = jinja2.FunctionLoader(read)
    return ImmutableSandboxedEnvironment(loader=loader, **_options()).get_template(name).render()


def _options() -> dict[str, Any]:
    import jinja2

    tidy = {"keep_trailing_newline": True, "trim_blocks": True, "lstrip_blocks": True}
    return {"undefined": jinja2.StrictUndefined, "autoescape": False, **tidy}


@cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), **_options())
    environment.globals |= {"DRAINED": DRAINED, "LOCKS": LOCKS}
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
