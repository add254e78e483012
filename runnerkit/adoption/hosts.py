"""The settings that would leave hosts as they are, from what is true of them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from runnerkit.adoption import machine_settings, surroundings
from runnerkit.adoption.entry import Site, entries, slug
from runnerkit.adoption.gap import Gap
from runnerkit.adoption.groups import Group, grouped
from runnerkit.adoption.proposal import API, Proposal
from runnerkit.adoption.references import Reference
from runnerkit.adoption.refusals import accepted, drop
from runnerkit.errors import KitError
from runnerkit.files import config_toml
from runnerkit.want import bare

T = TypeVar("T")
ORDER = ("gitlab", "docker", "manager", "prune", "runners", "hosts")  # of the starter


def propose(sites: Sequence[Site], url: str = "", api: bool = False) -> Proposal:
    """The settings that leave these hosts as they are, as far as settings can say it.

    Args:
        sites: the hosts.
        url: of their GitLab; that of most of their runners if not given.
        api: whether its API was asked, by GITLAB_TOKEN.

    Raises:
        KitError: there is no host of which settings could say anything.
    """
    found = Proposal()
    found.gaps += (replace(gap, host=one.name) for one in sites for gap in one.place.gaps)
    sites = _of_one_place(sites, found)
    url = url or _url(sites)
    groups = grouped((one for site in sites for one in entries(site, url, found.gaps)), found.gaps)
    gitlab: dict[str, Any] = {"url": bare(url)}
    if api:
        gitlab["api_token"] = Reference(env=API)
    found.data = {
        "gitlab": gitlab,
        **machine_settings.sections(sites, found.references, found.gaps),
    }
    _runners(groups, found)
    _hosts(sites, groups, found)
    for line in accepted(found.data):
        found.gaps.append(Gap(f"refused by the settings: {line}", "it stays on the hosts"))
    _unknown(sites, found)
    _trim(found)
    for site in [one for one in sites if one.name in found.names]:
        machine_settings.close_metadata(found.data, found.want(site.name), sites)
        found.gaps += surroundings.gaps(site, found.want(site.name))
    found.data = {key: found.data[key] for key in ORDER if found.data.get(key)}
    return found


def _of_one_place(sites: Iterable[Site], found: Proposal) -> list[Site]:
    """The hosts that one [manager] can say; others are told to have a file of their own."""
    known = {one.name: (one.place.container, one.place.config_dir) for one in sites}
    usual = most(list(known.values()))
    kept = []
    for site in sites:
        container, config_dir = known[site.name]
        if known[site.name] == usual:
            kept.append(site)
            continue
        found.without[site.name] = KitError(
            f"its manager is {container or 'in no container'}, with {config_dir}; the others' is "
            f"{usual[0] or 'in no container'}, with {usual[1]}, and a file names one",
            "give it a file of its own: RUNNERKIT_SETTINGS=FILE ./inv init --host " + site.name,
        )
    return kept


def _url(sites: Iterable[Site]) -> str:
    every = [str(one.get("url", "")) for site in sites for one in site.config.get("runners", ())]
    if not (urls := [bare(one) for one in every if one.startswith(("http://", "https://"))]):
        raise KitError(
            "its config.toml has no runner of a GitLab whose address it says",
            "./inv bootstrap registers one; ./inv init writes settings to fill in",
        )
    return most(urls)


def most(values: Sequence[T]) -> T:
    """The value that there is most of, the first of several."""
    return Counter(values).most_common(1)[0][0]


def _runners(groups: list[Group], found: Proposal) -> None:
    """Each group's section, its token by reference."""
    known = [one for one in groups if one.token]
    for group in groups:
        first, data = group.members[0], group.data(found.gaps)
        place = (
            f"of {first.name or 'the entry'} in {first.site.place.want.config} on {first.site.name}"
        )
        section: dict[str, Any] = {}
        if group.token:
            words = f"RUNNER_TOKEN_{group.key}" if known[1:] else "RUNNER_TOKEN"
            name = found.references.name(group.token, words, f"token {place}")
            section["token"] = Reference(env=name)
            found.tokens[group.key] = group.token
        section |= found.references.filed(data, f"RUNNERKIT_RUNNER_{group.key}", place)
        found.data.setdefault("runners", {})[group.key] = section
        found.keys |= {(one.site.name, one.index): group.key for one in group.members}


def _hosts(sites: list[Site], groups: list[Group], found: Proposal) -> None:
    hosts: dict[str, Any] = {}
    for site in sites:
        name = found.names[site.name] = _host_name(site, hosts)
        keys = [one.key for one in groups if site.name in one.sites]
        hosts[name] = {"address": site.address, "runners": keys}
    found.data["hosts"] = hosts


def _unknown(sites: list[Site], found: Proposal) -> None:
    """Leave out runners that a run would not know again on a host, or take for another."""
    for site in sites:
        want = found.want(site.name)
        for runner in want.runners:
            index = config_toml.entry_index(want, site.have, runner)
            if index is None or found.keys.get((site.name, index)) != runner.key:
                drop(found.data, runner.key)
                what = (
                    f"runners.{runner.key}: neither a token nor a name of its own tells which it is"
                )
                found.gaps.append(Gap(what, "give its entry a name of its own there", site.name))


def _trim(found: Proposal) -> None:
    """Leave out hosts without any runner, and lists of all of them."""
    every, hosts = list(found.data.get("runners", ())), found.data["hosts"]
    for site, name in list(found.names.items()):
        if not hosts[name]["runners"]:
            what = f"it has no runner of {found.data['gitlab']['url']} that settings can name"
            why = (one.what for one in found.gaps if one.host in ("", site))
            fix = "./inv init --url names another GitLab; what it has stays as it is"
            found.without[site] = KitError("\n  ".join([what, *why]), fix)
            del hosts[name], found.names[site]
        elif hosts[name]["runners"] == every:
            del hosts[name]["runners"]


def _host_name(site: Site, taken: Mapping[str, Any]) -> str:
    """What the file calls a host: its name in ssh's or DNS's, else what it calls itself."""
    word = re.sub(r":\d+$", "", site.name.rpartition("@")[2])
    first = word.partition(".")[0]
    name = first if slug(first) == first and not first.isdigit() else site.have.hostname
    stem = slug(name.partition(".")[0]) or "host"
    stem = "host" if stem == "all" else stem
    numbers = range(2, len(taken) + 3)
    return next(one for one in (stem, *(f"{stem}-{n}" for n in numbers)) if one not in taken)
