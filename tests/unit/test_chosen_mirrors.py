"""Mirrors that were chosen and have gone since, and what a blank host would find."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.checks.network import chosen_mirrors, mirrors, package_sources
from runnerkit.errors import KitError
from runnerkit.facts.probe import Probe, Reply
from runnerkit.fleet import bootstrap
from runnerkit.fleet.run import Fleet
from runnerkit.images.reference import HUB
from runnerkit.settings.load import load
from tests.unit.build import DAEMON, blank, want
from tests.unit.remembering import content, ours
from tests.unit.test_mirrors import A, B, C, auto, chosen, mirrored, offers

DEAD = {"step": "door", "trouble": "silence"}
CE = {"source": "docker-ce", "package_mirror": "auto"}


def codes(found: Any) -> list[str]:
    return [one.code for one in found]


def test_one_that_has_died_is_told_with_those_that_would_take_its_place() -> None:
    have = replace(chosen(A), offers=(*offers(A, **DEAD), *offers(B)))
    (found,) = chosen_mirrors.findings(auto(), have)
    assert (found.code, str(found.level)) == ("mirror-gone", "error")
    assert f"registry mirror {A}, which was chosen, serves the host no longer: dead" in found.what
    assert f"--mirrors-anew takes {B} in its place" in found.fix
    none = replace(chosen(A), offers=offers(A, B, **DEAD))
    (found,) = chosen_mirrors.findings(auto(), none)
    assert "mirror_candidates" in found.fix


def test_one_that_serves_and_one_that_was_never_chosen_are_nobodys_matter() -> None:
    have = replace(chosen(A), offers=(*offers(A), *offers(B, **DEAD)))
    assert codes(chosen_mirrors.findings(auto(), have)) == []
    assert chosen_mirrors.known(ours(docker={"registry_mirrors": [A]}), have) is None
    assert chosen_mirrors.known(auto(), replace(have, offers=())) is False


def test_one_that_has_no_such_image_is_noted() -> None:
    have = replace(chosen(A), offers=offers(A, step="manifest", status=404))
    assert [str(one.level) for one in chosen_mirrors.findings(auto(), have)] == ["note"]


def test_asked_anew_the_next_bootstrap_takes_another() -> None:
    have = replace(chosen(A), offers=())
    anew = replace(auto(), mirrors_anew=True)
    assert (mirrors.due(auto(), have), mirrors.due(anew, have)) == (False, True)
    write = converge.plan(anew, replace(have, offers=(*offers(A, **DEAD), *offers(B))))[0]
    assert write.title == f"write {DAEMON}"
    assert B in content(write)
    assert not mirrors.due(replace(ours(docker={"registry_mirrors": [A]}), mirrors_anew=True), have)


def test_a_blank_host_is_told_what_bootstrap_would_choose_or_what_nobody_serves() -> None:
    have = blank(offers=(*offers(A), *offers(B, C, **DEAD)))
    assert codes(chosen_mirrors.findings(auto(), have)) == ["mirrors-chosen"]
    nothing = blank(offers=offers(A, HUB, **DEAD))
    found = list(chosen_mirrors.findings(auto(), nothing))
    assert codes(found) == ["mirrors-none", "mirrors-unserved"]
    assert "serves the host gitlab/gitlab-runner:v19.3.0, debian:bookworm, nor" in found[1].what


def test_a_proxy_of_dockers_own_in_the_settings_is_another_way_than_ours() -> None:
    own = {"proxies": {"http-proxy": "http://p:1"}}
    assert mirrors.apart(ours(docker={"daemon": own}), mirrored(A))
    through = ours(network={"proxy": "https://p.example.com:3129"})
    have = replace(
        mirrored(A), info={**mirrored(A).info, "HttpsProxy": "https://p.example.com:3129"}
    )
    assert not mirrors.apart(through, have), "one that is itself reached by TLS is asked through"


def sites(*statuses: int | str) -> Probe:
    replies = []
    urls = package_sources.indexes(want(docker=CE), blank())
    for url, status in zip(urls, statuses, strict=False):
        good = isinstance(status, int)
        replies.append(
            Reply(url, status=int(status)) if good else Reply(url, "silence", str(status))
        )
    return Probe(packages=tuple(replies))


def test_a_blank_host_is_told_which_sites_have_dockers_packages() -> None:
    wanted, have = want(docker=CE), blank(probe=sites(200, "", 404))
    places = package_sources.places(wanted, have)
    assert places[0] == "https://download.docker.com/linux/debian/dists/bookworm/InRelease"
    (found,) = package_sources.findings(wanted, have)
    assert found.code == "packages-site"
    assert "had from https://download.docker.com; not from: https://mirrors.tuna" in found.what
    assert "(no answer in time)" in found.what and "(status 404)" in found.what
    (found,) = package_sources.findings(wanted, blank(probe=sites("", 404)))
    assert (found.code, str(found.level)) == ("packages-nowhere", "error")


@pytest.mark.parametrize(
    ("os", "index"),
    [
        ({"ID": "fedora", "VERSION_ID": "42"}, "fedora/42/x86_64/stable/repodata/repomd.xml"),
        ({"ID": "rocky", "VERSION_ID": "9.4"}, "centos/9/x86_64/stable/repodata/repomd.xml"),
        ({"ID": "alpine", "VERSION_ID": "3.20"}, ""),
    ],
)
def test_each_system_has_an_index_of_its_own(os: dict[str, str], index: str) -> None:
    found = package_sources.indexes(want(docker=CE), blank(os=os))
    assert [*found][:1] == ([f"https://download.docker.com/linux/{index}"] if index else [])
    assert package_sources.indexes(want(docker={"source": "docker-ce"}), blank()) == {}


def test_there_is_nothing_to_ask_anew_where_the_settings_name_them() -> None:
    named = {"gitlab": {"url": "https://g"}, "docker": {"registry_mirrors": [A]}}
    fleet = Fleet((), load(command_line=named), lambda *_: None)
    with pytest.raises(KitError, match="none choose themselves"):
        bootstrap.wants(fleet, mirrors_anew=True)
