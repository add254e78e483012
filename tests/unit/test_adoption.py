"""Facts in, a settings file out: and with that file a plan over the same facts is empty."""

import tomllib

from runnerkit import converge
from runnerkit.adoption import document
from runnerkit.adoption.discovery import ManagerPlace
from runnerkit.adoption.entry import Site
from runnerkit.adoption.proposal import Proposal, propose
from runnerkit.facts import Facts
from tests.unit.build import CONFIG, MANAGER, converged

FOLDER = CONFIG.rpartition("/")[0]


def site(have: Facts, name: str = "ci1", container: str = "gitlab-runner") -> Site:
    return Site(name, f"root@{name}", ManagerPlace(FOLDER, container, MANAGER), have)


def text(found: Proposal) -> str:
    return document.text(found.data, found.references, found.gaps)


def titles(found: Proposal, one: Site) -> list[str]:
    return [change.title for change in converge.plan(found.want(one.name), one.have)]


def test_a_host_of_the_kit() -> None:
    one = site(converged())
    found = propose([one])
    print(text(found))
    assert tomllib.loads(text(found)) == found.data
    assert titles(found, one) == []
