"""Where a host's gitlab-runner is: the container that hands out jobs, and the folder of its config.toml."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from runnerkit.adoption.gap import Gap
from runnerkit.errors import KitError
from runnerkit.images.reference import repository
from runnerkit.place import TEMPLATES
from runnerkit.settings.docker import Docker
from runnerkit.settings.model import Manager
from runnerkit.want import Want

PROGRAM, FOLDER = "gitlab-runner", "/etc/gitlab-runner"
FILE = f"{FOLDER}/config.toml"


class Mount(msgspec.Struct, rename="pascal"):
    destination: str
    source: str = ""


class Container(msgspec.Struct):
    """A container that is no job's, as Docker has it."""

    name: str
    created: str
    image: str
    path: str
    running: bool
    args: list[str] | None = None
    env: list[str] | None = None
    mounts: list[Mount] | None = None

    @property
    def folder(self) -> str:
        """The folder on the host that has its config.toml; "" for none."""
        found = (one.source for one in self.mounts or () if one.destination == FOLDER)
        return next(found, "")

    @property
    def words(self) -> list[str]:
        return [self.path, *(self.args or ())]

    @property
    def manages(self) -> bool:
        """Whether it is a manager: not one that only registered a runner, and ended."""
        names = {word.rpartition("/")[2] for word in (*self.words, repository(self.image))}
        return bool(PROGRAM in names or self.folder) and (self.running or "run" in self.words)

    @property
    def file(self) -> str:
        """Where its config.toml is, as it sees it."""
        for variable in self.env or ():
            if variable.startswith("CONFIG_FILE="):
                return variable.partition("=")[2]
        options = self.words[self.words.index("run") :] if "run" in self.words else []
        for word, after in pairwise([*options, ""]):
            option, _, value = word.partition("=")
            if option in ("-c", "--config"):
                return value or after
        return FILE


@dataclass(frozen=True)
class ManagerPlace:
    """A host's manager; `container` and `image` are "" where there is none."""

    config_dir: str
    container: str = ""
    image: str = ""
    gaps: tuple[Gap, ...] = ()

    @property
    def want(self) -> Want:
        """What to look for on the host, when nothing else is known of it."""
        names = {"container": self.container, "image": self.image}
        known = {key: name for key, name in names.items() if name}
        manager = Manager(config_dir=self.config_dir, **known)  # type: ignore[arg-type]
        return Want(url="", docker=Docker(), manager=manager)


def script() -> str:
    """The script that tells of all that may be a manager."""
    return (TEMPLATES / "managers.sh").read_text()


def find(output: str) -> ManagerPlace:
    """The manager that a host has.

    Raises:
        KitError: it has none, or one that no settings can leave as it is.
    """
    found: dict[str, list[str]] = {"container": [], "config": [], "process": []}
    for kind, _, text in (line.partition(" ") for line in output.splitlines()):
        found.setdefault(kind, []).append(text)
    try:
        every = [msgspec.json.decode(text, type=Container) for text in found["container"]]
    except (msgspec.DecodeError, UnicodeError) as error:
        raise KitError(
            f"what the host told of its containers cannot be read: {error}",
            "see what docker container inspect prints there",
        ) from None
    counts = (one.partition(" ") for one in found["config"])
    runners = {folder: int(count) for count, _, folder in counts if count.isdecimal()}

    def rank(one: Container) -> tuple[object, ...]:
        count = runners.get(one.folder, -1)
        return not one.running, -count, "run" not in one.words, one.created

    if managers := sorted((one for one in every if one.manages), key=rank):
        return _contained(managers, found["process"])
    return _uncontained(max(runners, key=runners.__getitem__, default=""), found["process"])


def _contained(managers: list[Container], service: list[str]) -> ManagerPlace:
    first, *others = managers
    name = first.name.lstrip("/")
    if first.file != FILE:
        raise KitError(
            f"the manager {name} reads {first.file}, and the kit's reads {FILE}",
            f"let it read {FILE}, or bootstrap a new host in its place",
        )
    alone = any(mount.destination == FILE for mount in first.mounts or ())
    if alone or not first.folder:
        where = "as a mount of its own" if alone else "in no folder of the host"
        raise KitError(
            f"the manager {name} has its config.toml {where}, and the kit's has a folder for it",
            f"run it with -v FOLDER:{FOLDER}, where FOLDER on the host has that file",
        )
    return ManagerPlace(first.folder, name, first.image, tuple(_others(others, service)))


def _others(containers: list[Container], service: list[str]) -> Iterator[Gap]:
    for one in containers:
        name = one.name.lstrip("/")
        yield Gap(
            f"the container {name} is another manager, and settings name one for a host",
            f'for it copy the file, with [manager] container = "{name}" and '
            f'config_dir = "{one.folder}", and its own runners',
        )
    if service:
        yield Gap(
            f"a gitlab-runner runs beside it, in no container (process {service[0]})",
            "what it has stays as it is: systemctl status gitlab-runner there tells more",
        )


def _uncontained(folder: str, processes: list[str]) -> ManagerPlace:
    """A host whose manager runs in no container, or not at all."""
    if processes:
        raise KitError(
            f"its gitlab-runner runs in no container (process {processes[0]}), and the kit runs it in one",
            "on the host end it, when its jobs have ended: systemctl disable gitlab-runner; systemctl "
            "kill -s QUIT gitlab-runner; then init again: the container goes on with the same config.toml",
        )
    if not folder:
        raise KitError(
            "there is no gitlab-runner on it: no container that runs it, and no config.toml",
            "./inv bootstrap sets a host up; ./inv init writes settings to fill in",
        )
    return ManagerPlace(folder)
