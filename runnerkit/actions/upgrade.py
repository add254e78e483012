"""Another version of the manager in the place of the one that is there, which is kept."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec import structs

from runnerkit.actions import settle
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.files import previous
from runnerkit.images.reference import normal, parse, untagged
from runnerkit.place import DRAINED
from runnerkit.plan import Change, Hint, Script
from runnerkit.steps import manager
from runnerkit.templates import render
from runnerkit.want import Want

MOVING = re.compile(r"latest|bleeding|ubuntu|alpine[\d.]*|ubi-fips")
VERSION = re.compile(r"(?m)^Version: +v?(\d+\.\d+\.\d+)$")
HINTS = (
    Hint(
        "exec format error|does not match the .*platform",
        "that image is for another architecture: name a tag, or the digest of the host's own",
    ),
    Hint(
        "executable file not found|no such file",
        "that image is no gitlab-runner: correct --to",
    ),
)


@dataclass(frozen=True)
class Trial:
    """What a program says before it is let at the work: its version ("" where it says none), and what
    it finds wrong with the host's config.toml that the program of now does not."""

    version: str
    faults: str = ""


@dataclass(frozen=True)
class Replacement:
    """The manager runs from the wanted image, and has proven itself; else the one before is put back."""

    def needs(self, want: Want) -> Needs:
        known = manager.needs(want)
        return Needs((*known.files, DRAINED), images=known.images, manager=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        now = have.containers.get(want.manager.container)
        manager.elsewhere(want, now)
        if settle.before(want, have):
            yield manager.settlement(want, have)
        elif not have.docker_runs:
            raise KitError(
                "Docker does not run on the host",
                "./inv bootstrap --host HOST sets it up or starts it",
            )
        elif now is None:
            raise KitError(
                f"there is no container {want.manager.container}",
                "./inv bootstrap --host HOST sets one up",
            )
        elif reasons := list(manager.differences(want, have, now)):
            yield manager.replacement(want, have, now, reasons, proves=True)
        elif not now["State"]["Running"] and DRAINED not in have.files:
            name = want.manager.container
            text = render("start.sh.j2", name=name)
            yield Script(f"start the container {name}", text, hints=manager.HINTS)


def of_image(want: Want, image: str) -> Want:
    """The same host with another image of the manager."""
    return replace(want, manager=structs.replace(want.manager, image=image))


def image_of(want: Want, have: Facts) -> str:
    """What the manager ran from before it is upgraded, as its container names it."""
    now = settle.before(want, have) or have.containers.get(want.manager.container, {})
    return str(now.get("Config", {}).get("Image", ""))


def back_to(want: Want, have: Facts) -> str:
    """The image that a rollback is to; the one that runs, where it was rolled back already.

    Raises:
        KitError: none is known.
    """
    kept, now = previous.of(want, have), settle.newest(want, have)
    cut_off = settle.before(want, have) is not None
    if cut_off and kept.id != now.get("Image"):  # in an upgrade
        return image_of(want, have)
    if cut_off or (kept.left and not kept.image):
        return str(now["Config"]["Image"])
    if kept.image:
        return previous.reference(want, have)
    raise KitError(
        "no previous image is known here: the kit did not upgrade this manager",
        "./inv runner.upgrade --to TAG --host HOST goes to any version",
    )


def reference(image: str, to: str) -> str:
    """What is meant by `to`: a tag or digest of that image, or a whole reference.

    Args:
        image: the one of the settings.
        to: as it is typed.

    Raises:
        KitError: it is none, or names what moves.
    """
    digest = to.startswith("sha256:")
    whole = not digest and re.search("[/@:]", to)
    found = to if whole else f"{untagged(image)}{'@' if digest else ':'}{to}"
    if not to or not parse(found):
        raise KitError(
            f"--to {to}: no tag, digest or image", "give v19.3.0, sha256:… or a whole reference"
        )
    tag = "" if "@" in found else parse(found).rpartition(":")[2]
    if MOVING.fullmatch(tag):
        raise KitError(
            f"--to {to}: {tag} moves, and would be another version on each host",
            "name a version, for example v19.3.0, or a digest",
        )
    if re.fullmatch(r"\d+\.\d+\.\d+", tag) and re.search(r":v\d", image):
        raise KitError(f"--to {to}: tags of {untagged(image)} begin with v", f"say --to v{tag}")
    return found


def versioned(image: str, version: str) -> str:
    """A reference that says the version beside the digest, by which the engine knows it alone."""
    path, at, digest = image.partition("@")
    return f"{untagged(path)}:v{version}@{digest}" if at and version else image


def suited(want: Want, have: Facts) -> None:
    """Raise a KitError where the image is for another architecture: its digest may name any."""
    image = have.images.get(normal(want.manager.image), {}).get("Architecture", "")
    host = have.version.get("Arch", "")
    if image and host and image != host:
        raise KitError(
            f"{want.manager.image} is for {image}, the host is {host}",
            "name a tag, or the digest of the host's own; nothing runs differently",
        )


def trial(want: Want, have: Facts) -> str:
    """The script that has the wanted program say its version and read config.toml, in a container of
    its own without network."""
    now = have.containers.get(want.manager.container, {}).get("Image", "")
    return render("try-manager.sh.j2", image=want.manager.image, now=now, config=want.config)


def parsed(output: str) -> Trial:
    """What the script printed."""
    words = dict(line.split(" ", 1) for line in output.splitlines() if " " in line)
    texts = {key: b64decode(value).decode(errors="replace") for key, value in words.items()}
    version = VERSION.search(texts.get("version", ""))
    return Trial(version[1] if version else "", texts.get("faults", ""))
