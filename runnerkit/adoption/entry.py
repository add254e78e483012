"""One [[runners]] of a host's config.toml, as a [runners.NAME] of the settings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec

from runnerkit.adoption import tables
from runnerkit.adoption.discovery import ManagerPlace
from runnerkit.adoption.gap import Gap
from runnerkit.facts import Facts, ServerRunner
from runnerkit.files import config_toml, memory
from runnerkit.files.merge import missing
from runnerkit.images.definition import NAME, labels
from runnerkit.images.reference import bare, normal
from runnerkit.place import image_folders
from runnerkit.settings import tokens
from runnerkit.settings.autoscaler import EXECUTORS
from runnerkit.settings.hardening import hardened
from runnerkit.settings.model import DEFAULT
from runnerkit.settings.runner import Runner
from runnerkit.settings.secrets import Secret

# What GitLab gives a runner that nobody has told otherwise.
USUAL = {"run_untagged": True, "locked": False, "paused": False, "access_level": "not_protected"}
OWN = (
    *("name", "url", "id", "token", "token_obtained_at", "token_expires_at"),
    *("executor", "docker", "autoscaler"),
)


@dataclass(frozen=True)
class Site:
    """A host that somebody set up: what `--host` calls it, its address, and what is true of it.

    `server` is GitLab's side of its entries, by their index.
    """

    name: str
    address: str
    place: ManagerPlace
    have: Facts
    server: Mapping[int, ServerRunner] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """Its config.toml."""
        return config_toml.parsed(self.place.want, self.have)

    @property
    def records(self) -> list[memory.Record]:
        """What the kit remembers to have written there."""
        return list(memory.parsed(self.have).settings.values())


@dataclass(frozen=True)
class RunnerEntry:
    """An entry of a host's config.toml; `core` has the keys that hosts of one runner have alike."""

    site: Site
    index: int
    name: str
    token: Secret | None
    core: Mapping[str, Any]
    docker: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def stem(self) -> str:
        """The key of the settings that gives it its name on that host; "" for none."""
        hostname = self.site.have.hostname
        stem = DEFAULT if self.name == hostname else self.name.removeprefix(f"{hostname}-")
        return stem if stem == DEFAULT or (stem != self.name and slug(stem) == stem) else ""


def slug(text: str) -> str:
    """A name in letters that a key needs no quotes for; "" where it has none."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")


def entries(site: Site, url: str, note: list[Gap]) -> Iterator[RunnerEntry]:
    """Those of a host that settings for this GitLab can name; what they cannot say is noted."""
    for index, entry in enumerate(site.config.get("runners", ())):
        name, executor = str(entry.get("name", "")), entry.get("executor")
        if config_toml.gitlab(entry.get("url")) != config_toml.gitlab(url):
            why = f"is of another GitLab, {entry.get('url') or 'none'}: settings name one"
            fix = "./inv init --host … --url URL writes a file for it, where RUNNERKIT_SETTINGS names another"
        elif executor not in get_args(_type("executor")):
            why = f"has the executor {executor or 'of no name'}, which the kit does not set up"
            fix = "what the file says of it stays as it is"
        else:
            yield _entry(site, index, name, entry, note)
            continue
        note.append(Gap(f"the runner {name!r} {why}", fix, site.name))


def _entry(
    site: Site, index: int, name: str, entry: Mapping[str, Any], note: list[Gap]
) -> RunnerEntry:
    def left(path: str, why: str) -> None:
        what = f"the runner {name!r}: {path.removeprefix('.')} {why}"
        note.append(Gap(what, "it stays as it is there", site.name))

    docker, settings = dict(tables.table(entry.get("docker"))), dict(entry)
    for key in OWN:
        settings.pop(key, None)
    executor = entry["executor"]
    core: dict[str, Any] = {} if executor == "docker" else {"executor": executor}
    if executor != "instance":
        core |= _image(site, docker.pop("image", None))
        policy = docker.pop("pull_policy", None) or "always"
        core["pull_policy"] = [policy] if isinstance(policy, str) else policy
        core |= _level(core, entry, docker, settings)
    else:
        docker = {}
    usual: list[str] = [] if "hardening" in core else ["if-not-present"]
    if core.get("pull_policy") == usual:
        del core["pull_policy"]
    if executor in EXECUTORS and (scaled := tables.table(entry.get("autoscaler"))):
        core["autoscaler"] = tables.sayable(scaled, ".autoscaler", left)
    own = memory.union(
        {}, *(one.keys for record in site.records for one in record.runners.values())
    )
    if server := site.server.get(index):
        core |= _at_gitlab(server)
    return RunnerEntry(
        site=site,
        index=index,
        name=name,
        token=tokens.known(entry.get("token")),
        core=core,
        docker=tables.sayable(
            tables.without(tables.DOCKER, docker, tables.table(own.get("docker"))), ".docker", left
        ),
        settings=tables.sayable(tables.without(tables.RUNNER, settings, own), ".settings", left),
    )


def _image(site: Site, image: Any) -> dict[str, Any]:
    """The image of its jobs: by its name, where the kit built it and has its folder."""
    if not isinstance(image, str) or not image:
        return {}
    built = labels(site.have.images.get(normal(image), {})).get(NAME)
    return {"image": built if built == bare(image) and built in image_folders() else image}


def _level(
    core: Mapping[str, Any],
    entry: Mapping[str, Any],
    docker: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """The level of hardening of which it has every line; these lines are taken out of its tables."""
    image = core.get("image", "")
    local = bool(image) and bare(image) in image_folders()
    found: dict[str, Any] = {"hardening": "shared", "image": image}
    for given in ({}, {"pull_policy": core["pull_policy"]}):
        try:
            spec = msgspec.convert({**found, **given, "executor": entry["executor"]}, Runner)
        except msgspec.ValidationError:
            return {}
        full = hardened(spec, (image,), local)
        lines = {**full.docker, "pull_policy": list(full.pull_policy)}
        now = {**entry, "docker": {"pull_policy": "always", **tables.table(entry.get("docker"))}}
        if missing({**full.settings, "docker": lines}, now):
            continue
        for key in full.docker:
            docker.pop(key, None)
        flags = full.settings["feature_flags"]
        own = settings["feature_flags"].items()
        settings["feature_flags"] = {key: value for key, value in own if key not in flags}
        del settings["debug_trace_disabled"]
        return {"hardening": "shared", "pull_policy": given.get("pull_policy", [])}
    return {}


def _at_gitlab(server: ServerRunner) -> dict[str, Any]:
    """What GitLab keeps of it, where somebody has set it."""
    found = {key: getattr(server, key) for key in USUAL}
    values = {key: value for key, value in found.items() if value != USUAL[key]}
    if server.tags:
        values["tags"] = sorted(server.tags)
    if server.maximum_timeout:
        values["maximum_timeout"] = server.maximum_timeout
    return values


def _type(key: str) -> Any:
    return next(one.type for one in msgspec.structs.fields(Runner) if one.name == key)
