"""Texts from templates: those of the kit, and the Dockerfiles that teams write as such."""

import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runnerkit.place import TEMPLATES

if TYPE_CHECKING:
    import jinja2


def render(name: str, /, **values: object) -> str:
    """A template of the kit's.

    Raises:
        jinja2.TemplateError: it is none, or uses a name that is not given.
    """
    return render_of(TEMPLATES, name, **values)


def render_of(folder: Path, name: str, /, **values: object) -> str:
    """A template of another folder; it sees no other files than those.

    Raises:
        jinja2.TemplateError: it is none, or uses a name that is not given.
    """
    return _environment(folder).get_template(name).render(values)


@cache
def _environment(folder: Path) -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
