"""What is told of a pull that fails, or would."""

from types import SimpleNamespace
from typing import Any

import docker
import pytest

from runnerkit.engine import transfer
from runnerkit.errors import KitError
from runnerkit.facts.probe import Reply, Served
from runnerkit.fleet.mirrors import pull_failure
from runnerkit.images.reference import HUB
from runnerkit.plan import Pull
from tests.unit.build import want

IMAGE, MIRROR = "gitlab/gitlab-runner:v19.9.9", "https://mirror.example.com"
ABSENT, GONE = Reply(MIRROR, status=404), Reply(HUB, "name")
ENGINE = {"RegistryConfig": {"Mirrors": [f"{MIRROR}/"]}, "Architecture": "x86_64"}
FOUND = Served(MIRROR, IMAGE, "", Reply(MIRROR, status=200, seconds=1), sample=1 << 18, digest="d")
LACKS = Served(MIRROR, IMAGE, "manifest", ABSENT)
DEAD = Served(HUB, IMAGE, "door", GONE)


def foreseen(
    monkeypatch: pytest.MonkeyPatch, served: list[Served], info: dict[str, Any], *sources: str
) -> None:
    monkeypatch.setattr(pull_failure, "served", lambda *_: tuple(served))
    client: Any = SimpleNamespace(info=lambda: info)
    machine: Any = SimpleNamespace(where=lambda: "root@ci1:22")
    pull_failure.foreseen(machine, client, want(), Pull("pull", IMAGE, sources or (IMAGE,)))


def test_an_image_that_nobody_serves_is_told_with_what_each_has_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(KitError) as caught:
        foreseen(monkeypatch, [LACKS, DEAD], ENGINE)
    first, *lines = caught.value.what.splitlines()
    assert first == f"the host could not pull {IMAGE}: nobody that its Docker asks serves it"
    assert [line.split(" for ")[0].strip() for line in lines] == [MIRROR, HUB]
    assert "check the name and the tag" in caught.value.fix


@pytest.mark.parametrize(
    ("served", "info", "sources"),
    [
        ([FOUND, DEAD], ENGINE, ()),
        ([], {**ENGINE, "HttpsProxy": "http://proxy:1"}, ()),  # asked otherwise than Docker asks
        ([LACKS, DEAD], ENGINE, ("m.example.com/gitlab/gitlab-runner:v19.9.9", IMAGE)),
    ],
)
def test_where_one_serves_it_or_may_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch,
    served: list[Served],
    info: dict[str, Any],
    sources: tuple[str, ...],
) -> None:
    foreseen(monkeypatch, served, info, *sources)


@pytest.mark.parametrize(
    ("mirrors", "fix"), [([], "has no registry mirror"), ([MIRROR], "check the name")]
)
def test_a_docker_that_reaches_no_registry_is_not_told_of_a_wrong_name(
    mirrors: list[str], fix: str
) -> None:
    def pull(*_: Any, **__: Any) -> None:
        raise docker.errors.APIError("dial tcp: lookup registry-1.docker.io: no such host")

    info = {"RegistryConfig": {"Mirrors": mirrors}}
    client: Any = SimpleNamespace(pull=pull, info=lambda: info)
    with pytest.raises(KitError) as caught:
        transfer.pull(client, Pull("pull", IMAGE, (IMAGE,)), lambda _: None)
    assert fix in caught.value.fix
