"""[docker], [manager] and [prune]: what the settings say of hosts, and not of their runners."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from runnerkit import container
from runnerkit.adoption import tables
from runnerkit.adoption.entry import Site
from runnerkit.adoption.gap import Gap
from runnerkit.adoption.references import References
from runnerkit.checks.jobs import metadata_address
from runnerkit.files import daemon_json, memory, previous
from runnerkit.images.reference import parse, untagged
from runnerkit.redact import mask
from runnerkit.settings import autoscaler
from runnerkit.settings.docker import Docker
from runnerkit.settings.model import Manager, Prune
from runnerkit.steps import metadata_rule, prune_timer
from runnerkit.want import Want

MIRRORS = "registry-mirrors"
NUMBERS = re.compile(r"^keep=(\d+) high=(\d+) low=(\d+) cache_days=(\d+)$", re.MULTILINE)
NAMES = re.compile(r"^names=(.*)$", re.MULTILINE)


def sections(
    sites: Sequence[Site], references: References, note: list[Gap]
) -> dict[str, dict[str, Any]]:
    """What the hosts have alike; what differs stays as each has it, and is noted."""
    docker, manager = _docker(sites, references, note), _manager(sites, references, note)
    found: dict[str, dict[str, Any]] = {"docker": docker, "manager": manager, "prune": {}}
    for name, body in _prune(sites, note).items():
        found[name] |= body
    return {name: body for name, body in found.items() if body}


def close_metadata(data: dict[str, Any], want: Want, sites: Sequence[Site]) -> None:
    """Say whether the metadata address is closed, where the runners' hardening would have it otherwise."""
    closed = all(metadata_rule.UNIT in site.have.files for site in sites)
    never = all(metadata_address.escapes(site.have) for site in sites)
    if closed != want.metadata_closed and not (never and want.metadata_closed):
        data.setdefault("docker", {})["metadata"] = "closed" if closed else "open"


def _docker(sites: Sequence[Site], references: References, note: list[Gap]) -> dict[str, Any]:
    files = [daemon_json.parsed(site.have) for site in sites]
    both = _common([tables.without({}, file) for file in files], sites, daemon_json.PATH, note)
    found: dict[str, Any] = {}
    if mirrors := both.pop(MIRRORS, None):
        found["registry_mirrors"] = mirrors
    if both:
        found["daemon"] = references.filed(both, "RUNNERKIT_DOCKER", f"in {daemon_json.PATH}")
    return found


def _manager(sites: Sequence[Site], references: References, note: list[Gap]) -> dict[str, Any]:
    place, config = sites[0].place, sites[0].place.want.config
    found: dict[str, Any] = {}
    if images := [image for site in sites if (image := _image(site))]:
        found["image"] = max(images, key=images.count)
        others = ", ".join(sorted({*images} - {found["image"]}))
        if others:
            what = f"the hosts' managers are not of one image: {others} beside {found['image']}"
            note.append(Gap(what, "bootstrap would replace them by this one; name another first"))
    if place.container not in ("", Manager().container):
        found["container"] = place.container
    if place.config_dir != Manager().config_dir:
        found["config_dir"] = place.config_dir
    globals_ = [{**site.config} for site in sites]
    for one in globals_:
        one.pop("runners", None)
    numbers = [one.pop("concurrent", None) for one in globals_]
    if len({*map(str, numbers)}) == 1:
        found |= {"concurrent": numbers[0]} if numbers[0] is not None else {}
    elif numbers == [site.have.cpus for site in sites]:
        found["concurrent"] = "auto"
    else:
        note.append(Gap("manager.concurrent differs between the hosts", "each keeps its own"))
    own = [memory.union({}, *(record.config for record in site.records)) for site in sites]
    left = [tables.without(tables.GLOBALS, *pair) for pair in zip(globals_, own, strict=True)]
    settings = _common(left, sites, config, note)
    if settings.get("listen_address") == f":{container.PORT}" and (metrics := _metrics(sites)):
        found["metrics"] = metrics
        del settings["listen_address"]
    if settings:
        found["settings"] = references.filed(settings, "RUNNERKIT_MANAGER", f"in {config}")
    if variables := _environment(sites, note):
        found["environment"] = variables
    return found


def _metrics(sites: Sequence[Site]) -> str:
    """Where all hosts' containers publish the manager's metrics; "" for nowhere, or many places."""
    found = set()
    for site in sites:
        host = site.have.containers.get(site.place.container, {}).get("HostConfig", {})
        places: Sequence[Mapping[str, Any]] = (host.get("PortBindings") or {}).get(
            f"{container.PORT}/tcp"
        ) or ({},)
        for one in places:
            address, port = str(one.get("HostIp") or ""), str(one.get("HostPort") or "")
            address = f"[{address}]" if ":" in address else address
            found.add(f"{address}:{port}" if address and port else "")
    return found.pop() if len(found) == 1 else ""


def _common(
    each: Sequence[Mapping[str, Any]], sites: Sequence[Site], file: str, note: list[Gap]
) -> dict[str, Any]:
    """What the files of all hosts say alike, and settings can say."""
    paths: dict[str, str] = {}
    sayable = [tables.sayable(one, "", paths.__setitem__) for one in each]
    both = tables.common(sayable, "", paths.setdefault)  # type: ignore[arg-type]  # what it returns is not read
    for path, why in paths.items():
        note.append(Gap(f"{path.removeprefix('.')} of {file} {why}", "it stays as it is there"))
    return both


def _image(site: Site) -> str:
    """The name of its manager's image, also where the container has only the id."""
    if parse(site.place.image):
        return site.place.image
    now = site.have.containers.get(site.place.container, {})
    known = site.have.images.items()
    return next((name for name, image in known if image["Id"] == now.get("Image") != name), "")


def _environment(sites: Sequence[Site], note: list[Gap]) -> dict[str, str]:
    """Variables of all managers' containers, but for secrets, for which that is no place."""
    every: list[dict[str, str]] = []
    for site in sites:
        now = site.have.containers.get(site.place.container)
        every.append(container.variables(site.have, now) if now else {})
    found, names = {}, dict.fromkeys(name for each in every for name in each)
    for name in names:
        values = {each.get(name) for each in every}
        if mask(text := f"{name}={every[0].get(name)}") != text or len(values) > 1:
            why = "differs between the hosts" if len(values) > 1 else tables.SECRET
            what = f"the variable {name} of the manager's container {why}"
            note.append(Gap(what, "a container that replaces it keeps it"))
        elif name != autoscaler.PLUGIN_PATH:  # the kit's own
            found[name] = every[0][name]
    return found


def _prune(sites: Sequence[Site], note: list[Gap]) -> dict[str, dict[str, Any]]:
    """What all hosts' schedules say alike: of images too, which the kit starts on each of them."""
    first, *others = map(_schedule, sites)
    if all(one == first for one in others):
        return first
    note.append(
        Gap(
            "what prunes images by a schedule differs between the hosts",
            "[prune] schedule names one for all",
        )
    )
    return {}


def _schedule(site: Site) -> dict[str, dict[str, Any]]:
    """The schedule that the kit has set, with all that its program was given, by sections."""
    files = site.have.files
    timer = files[prune_timer.TIMER].text if prune_timer.TIMER in files else ""
    places = f"{timer}\n{' '.join(path for path in prune_timer.CRON if path in files)}"
    often = re.search(r"(?:^OnCalendar=|/etc/cron\.|/etc/periodic/)(\w+)", places, re.MULTILINE)
    program = files[prune_timer.PROGRAM].text if prune_timer.PROGRAM in files else ""
    numbers, names = NUMBERS.search(program), NAMES.search(program)
    if not (often and numbers and names):
        return {}
    found: dict[str, dict[str, Any]] = {"prune": {"schedule": often[1]}}
    for key, text in zip(("keep", "high", "low", "cache_days"), numbers.groups(), strict=True):
        if int(text) != getattr(Prune(), key):
            found["prune"][key] = int(text)
    words = [one for one in _words(names[1]) if untagged(one) != previous.REPOSITORY]
    own = [
        str(tables.table(one.get("docker")).get("image")) for one in site.config.get("runners", ())
    ]
    first = next((number for number, word in enumerate(words) if word in own), len(words))
    if words[:first] and words[first - 1] != Docker().registry_image:
        found["docker"] = {"registry_image": words[first - 1]}
    if first > 1:
        found["manager"] = {"helper_image": words[0]}
    if images := [re.sub(r"\$$", "*", word) for word in words[first:] if word not in own]:
        found["prune"]["images"] = images
    return found


def _words(text: str) -> list[str]:
    try:
        return " ".join(shlex.split(text)).split()
    except ValueError:
        return []
