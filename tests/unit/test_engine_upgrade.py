"""Docker itself upgraded: by which packages, to which version, and what stands against it."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.actions.engine_upgrade import EngineUpgrade
from runnerkit.checks.engine.engine_runs import SNAP
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.facts.packages import EnginePackages, parse, release
from runnerkit.place import TEMPLATES
from runnerkit.plan import Script
from runnerkit.steps import docker_engine
from tests.unit.build import blank, container, converged, want

CE = {
    "docker-ce": "5:28.5.1-1~debian.12~bookworm",
    "docker-ce-cli": "5:28.5.1-1~debian.12~bookworm",
    "containerd.io": "1.7.28-1",
}
NEWER = ("5:28.5.2-1~debian.12~bookworm", "5:28.5.1-1~debian.12~bookworm")
OLD = EnginePackages("apt", "docker-ce", CE, frozenset(), NEWER)
HELD = frozenset({"docker-ce", "containerd.io"})


def host(packages: EnginePackages = OLD, engine: str = "28.5.1") -> Facts:
    have = converged(packages=packages)
    return replace(have, info={**have.info, "ServerVersion": engine})


def scripts(have: Facts, to: str = "") -> list[Script]:
    found = converge.plan(want(), have, (EngineUpgrade(to), docker_engine))
    return [one for one in found if isinstance(one, Script)]


def test_what_has_its_version_is_upgraded_together_after_the_jobs_and_held() -> None:
    (script,) = scripts(host())
    new = NEWER[0]
    assert script.title == f"bring Docker (docker-ce) from {NEWER[1]} to {new}"
    assert f"'docker-ce={new}' 'docker-ce-cli={new}'" in script.text.replace("  ", " ")
    assert "containerd.io=" not in script.text
    assert (
        script.text.index("fetch\n") < script.text.index("kill -QUIT") < script.text.index("hold")
    )
    assert "apt-mark hold docker-ce containerd.io" in script.text
    assert "--allow-downgrades" not in script.text


def test_a_run_that_was_cut_off_is_completed() -> None:
    new = replace(OLD, installed={**CE, "docker-ce": NEWER[0], "docker-ce-cli": NEWER[0]})
    (title,) = (one.title for one in scripts(replace(host(), unpacked=True)))
    assert title == "complete the packages that were cut off"
    titles = [one.title for one in scripts(host(new))]
    assert titles == [
        "restart docker, which is not yet of that version",
        "hold docker-ce, containerd.io at their versions",
    ]
    held = host(replace(new, held=HELD), "28.5.2")
    assert scripts(held) == []
    down = container(State={"Running": False}, HostConfig={"RestartPolicy": {"Name": "no"}})
    (title,) = (one.title for one in scripts(replace(held, containers={"gitlab-runner": down})))
    assert title == "start gitlab-runner again"


def test_a_version_is_named_as_docker_or_as_the_package_has_it() -> None:
    held = replace(OLD, held=HELD)
    assert scripts(host(held), "28.5.1") == scripts(host(held), NEWER[1]) == []
    assert NEWER[0] in scripts(host(held), "28.5.2")[0].title
    assert NEWER[0] in scripts(host(held), "28.5")[0].title
    older = EnginePackages("apt", "docker-ce", CE, HELD, ("5:27.0.1-1~debian.12~bookworm",))
    assert "--allow-downgrades" in scripts(host(older), "27")[0].text
    with pytest.raises(KitError, match=r"have no docker-ce of version 30") as caught:
        scripts(host(), "30")
    assert NEWER[0] in caught.value.fix


@pytest.mark.parametrize(
    ("have", "what"),
    [
        (blank(), "there is no Docker Engine"),
        (blank(podman=True), "is Podman's"),
        (host(EnginePackages()), "of no package"),
        (host(EnginePackages("", "docker")), "which neither apt nor dnf installed"),
        (
            replace(
                host(),
                paths=frozenset({SNAP}),
                info={"ServerVersion": "28.5.1", "DockerRootDir": "/var/snap/docker/common"},
            ),
            "is a snap",
        ),
    ],
)
def test_what_the_kit_cannot_upgrade_is_said_in_a_line(have: Facts, what: str) -> None:
    with pytest.raises(KitError, match=what):
        scripts(have)


@pytest.mark.parametrize(
    ("manager", "engine", "refused"),
    [
        ("v17.4.0", "5:29.0.1-1", True),
        ("v17.5.5", "5:29.0.1-1", False),
        ("v17.4.0", "5:29.3.0-1", False),
        ("v17.4.0", "5:28.5.2-1", False),
    ],
)
def test_a_manager_that_could_not_talk_to_the_new_engine_is_named_first(
    manager: str, engine: str, refused: bool
) -> None:
    """The one that runs there, whatever the settings name."""
    have = host(replace(OLD, offered=(engine,)))
    image = f"gitlab/gitlab-runner:{manager}"
    have = replace(have, containers={"gitlab-runner": container(Config={"Image": image})})
    if refused:
        with pytest.raises(KitError, match=r"gitlab-runner 17\.4 speaks .* Docker Engine 29\.0\.1"):
            scripts(have)
    else:
        assert len(scripts(have)) == 1


def test_a_host_that_somebody_drained_stays_without_its_manager() -> None:
    from runnerkit.facts import File
    from runnerkit.files.drained import PATH

    have = host(replace(OLD, held=HELD, offered=()))
    down = container(State={"Running": False}, HostConfig={"RestartPolicy": {"Name": "no"}})
    files = {**have.files, PATH: File(b"{}", 0o600, 5)}
    assert scripts(replace(have, containers={"gitlab-runner": down}, files=files)) == []


DNF = """
readlink() { echo /usr/bin/dockerd; }
rpm() { case $1 in -qf) echo docker-ce ;; *) printf 'package x is not installed\\ninstalled docker-ce 3:28.5.1-1.el9\\ninstalled containerd.io 1.7.28-1.el9\\n' ;; esac; }
dnf() { case $* in
  *"versionlock list"*) echo 'LOCKS' ;;
  *"list --showduplicates"*) printf 'Installed Packages\\ndocker-ce.x86_64  3:28.5.1-1.el9  @docker-ce-stable\\nAvailable Packages\\ndocker-ce.x86_64  3:28.5.1-1.el9  docker-ce-stable\\ndocker-ce.x86_64  3:28.5.2-1.el9  docker-ce-stable\\n' ;;
esac; }
"""


@pytest.mark.parametrize(
    ("locks", "held"),
    [
        ("", set()),
        ("docker-ce-3:28.5.1-1.el9.*", {"docker-ce"}),  # dnf 4
        ("Package name: containerd.io", {"containerd.io"}),  # dnf 5
        ("docker-ce-cli-1:28.5.1-1.el9.*", {"docker-ce-cli"}),
    ],
)
def test_what_dnf_has_is_read(locks: str, held: set[str], tmp_path: Path) -> None:
    (tmp_path / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "dpkg-query").chmod(0o755)
    text = DNF.replace("LOCKS", locks) + (TEMPLATES / "engine-packages.sh").read_text()
    ran = subprocess.run(
        ["sh"], input=f"{text}\npackages", text=True, capture_output=True, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    found = parse(ran.stdout)
    assert (found.manager, found.owner, found.version) == ("dnf", "docker-ce", "3:28.5.1-1.el9")
    assert found.held == held
    assert found.offered == ("3:28.5.2-1.el9", "3:28.5.1-1.el9")


def test_dnf_unlocks_upgrades_and_locks_again() -> None:
    versions = {"docker-ce": "3:28.5.1-1.el9", "containerd.io": "1.7.28-1.el9"}
    packages = EnginePackages("dnf", "docker-ce", versions, HELD, ("3:28.5.2-1.el9",))
    (script,) = scripts(host(packages))
    words = (
        "versionlock delete docker-ce",
        "--downloadonly",
        "kill -QUIT",
        "versionlock add docker-ce",
    )
    places = [script.text.index(one) for one in words]
    assert places[0] < places[2] < places[3]
    assert "docker-ce-3:28.5.2-1.el9" in script.text


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("20.10.24+dfsg1-1+deb12u1+b6", (20, 10, 24)),
        ("5:28.5.1-1~debian.12~bookworm", (28, 5, 1)),
        ("3:28.5.1-1.el9", (28, 5, 1)),
        ("29", (29,)),
        ("dev", ()),
    ],
)
def test_the_engine_s_version_in_its_package_s(version: str, numbers: tuple[int, ...]) -> None:
    assert release(version) == numbers
