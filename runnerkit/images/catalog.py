"""Which job images there are: from a folder of dockerfiles/ or a section of the settings."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from runnerkit.errors import KitError, nearest, text_of
from runnerkit.images import context, dockerfile, own, platforms, reference
from runnerkit.images.definition import JobImage, short_hash
from runnerkit.place import image_folder, image_folders
from runnerkit.settings.model import Image, Settings
from runnerkit.templates import render, render_foreign

_digest = cache(context.digest)  # a large context is read once a run, however often it is asked for


def find(settings: Settings, name: str) -> JobImage | None:
    """The job image of that name, with or without the tag that a build gives it; None where the name
    is any other image's reference.

    Raises:
        KitError: there is one, and its definition is wrong.
    """
    name = reference.bare(name)
    folder = image_folder(name) if name and not set(name) & set("/:@") else None
    section = settings.images.get(name)
    if not section and not folder:
        return None
    if not allowed(name):
        raise KitError(
            f"Docker refuses the image name {name!r}",
            "use lower-case letters and digits, with single . _ or - between them",
        )
    section = section or Image()
    text, beside = _folder(folder) if folder else (_rendered(name, section), "")
    if folder and (section.base or section.packages):
        raise KitError(
            f"the job image {name} is defined twice: dockerfiles/{name} and images.{name}.base",
            "remove one of them; beside a folder, [images] may say build_args, labels, secrets",
        )
    bases, by_platform = _bases(text, section)
    if hidden := [
        base for base in bases if reference.repository(base) == name != reference.bare(base)
    ]:
        raise KitError(
            f"the job image {name} would hide the image {hidden[0]} that it is built from",
            "give it another name",
        )
    digest, size = _digest(beside)
    names = sorted(section.secrets)
    inputs = short_hash([text, section.build_args, section.labels, section.platform, names, digest])
    return JobImage(
        name=name,
        dockerfile=text,
        context=beside,
        args=section.build_args,
        labels=section.labels,
        platform=section.platform,
        secrets=section.secrets,
        bases=bases,
        by_platform=by_platform,
        all_stages=dockerfile.bases(text, section.build_args, every=True),
        inputs=inputs,
        size=size,
    )


def allowed(name: str) -> bool:
    """Whether Docker takes it for the name of an image without a registry."""
    return "/" not in name and reference.PATH.fullmatch(name) is not None


def chosen(settings: Settings, words: str) -> tuple[JobImage, ...]:
    """The job images of a comma-separated list, `all` of the settings among them.

    Raises:
        KitError: a name that is none.
    """
    names = [word.strip() for word in words.split(",") if word.strip()]
    found: list[str] = []
    for word in names:
        found += named(settings) if word == "all" else [word]
    if not found:
        raise KitError(
            "no job image is named", "name one, or write [images.NAME] in runnerkit.toml"
        )
    return closed(settings, found)


def names(settings: Settings) -> tuple[str, ...]:
    """All that can be a job image here, whether anything speaks of it or not."""
    return tuple(sorted(filter(allowed, image_folders() | set(settings.images))))


def named(settings: Settings) -> list[str]:
    """The job images that the settings speak of."""
    mine = [*settings.images, *(runner.image for runner in settings.runners.values())]
    return [one for one in mine if find(settings, one)]


def closed(settings: Settings, wanted: Iterable[str]) -> tuple[JobImage, ...]:
    """Those images and the job images that they are built from, each after its bases.

    Raises:
        KitError: a name that is no job image, or images that are built from each other.
    """
    done: dict[str, JobImage] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise KitError(
                f"job images are built from each other: {' → '.join([*above, name])}",
                "break the circle in their FROM lines",
            )
        if name in done:
            return
        image = find(settings, name)
        if image is None:
            raise KitError(
                f"no job image {name!r}{nearest(name, names(settings))}",
                "name a folder of dockerfiles/ or a section [images.NAME] of the settings",
            )
        for base in image.bases:
            if parent := find(settings, base):
                add(parent.name, (*above, name))
        done[name] = image

    for name in wanted:
        add(name, ())
    return tuple(done.values())


def _bases(text: str, section: Image) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    """What the image is built on, and that by platform where it depends on it."""
    if section.platform or not any(name in text for name in platforms.variables("")):
        where = (section.platform,) if section.platform else ()
        return dockerfile.bases(text, section.build_args, *where), {}
    found = {one: dockerfile.bases(text, section.build_args, one) for one in platforms.KNOWN}
    every = tuple(dict.fromkeys(base for bases in found.values() for base in bases))
    return every, {} if len({*found.values()}) == 1 else found


def _folder(folder: Path) -> tuple[str, str]:
    name = folder.name
    if not folder.resolve().is_relative_to(folder.parent.resolve()):
        raise KitError(
            f"dockerfiles/{name} leads outside dockerfiles/, to {folder.resolve()}",
            "copy it in: what an image is made of must be in one place",
        )
    own.check(folder)
    if own.find(folder, "Dockerfile.j2"):
        text = _template(folder)
    elif plain := own.find(folder, "Dockerfile"):
        text = text_of(plain, "save it as UTF-8, and see that you may read it")
    else:
        raise KitError(f"dockerfiles/{name} has no Dockerfile", "add one, or a Dockerfile.j2")
    if line := dockerfile.outside(text):
        raise KitError(
            f"dockerfiles/{name}: {line} is outside the folder",
            "an image is built from its own folder alone: copy the file into it",
        )
    return text, str(folder)


def _template(folder: Path) -> str:
    import jinja2

    def read(name: str) -> str | None:
        file = own.find(folder, name)
        return file.read_text(encoding="utf-8") if file else None

    try:
        return render_foreign(read, "Dockerfile.j2")
    except KitError:
        raise
    except Exception as error:  # whatever Python makes of what the template works out
        line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        what = f"dockerfiles/{folder.name}/Dockerfile.j2{line}: {error}"
        raise KitError(what, "correct it") from None


def _rendered(name: str, image: Image) -> str:
    if not image.base:
        raise KitError(
            f"images.{name} has no base, and there is no folder dockerfiles/{name}",
            'add base = "…", or the folder',
        )
    return render("Dockerfile.j2", image=image)
