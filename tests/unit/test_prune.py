"""What may go from a host, what the script says of it, and the timer that does it by itself."""

import json
import re
import subprocess
from typing import Any

import pytest

from runnerkit import place
from runnerkit.actions import prune
from runnerkit.actions.prune import Item
from runnerkit.machine import lock
from runnerkit.place import ROOT
from tests.unit.build import MANAGER, want

NOW = 1_800_000_000
DAY = 86400
HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64"
DAILY = "/etc/cron.daily/runnerkit-prune"


def image(
    name: str, tags: str = "", days: float = 9, label: str = "null", bases: str = "null",
    layers: str = "", tagged: str = "0001-01-01T00:00:00Z",
) -> list[str]:  # fmt: skip
    """The facts of one image, put on the host days ago."""
    output = [f"sha256:{name}", '"2020-01-01T00:00:00Z"', f'"{tagged}"', "1000", label, bases]
    return [
        f"stored\t/var/lib/docker/image/overlay2/imagedb/content/sha256/{name}\t{NOW - days * DAY:.0f}",
        "\t".join(["image", *output, f"{tags} " if tags else "", layers or f"{name} "]),
    ]


def build(name: str, number: int, days: float, **more: Any) -> list[str]:
    """The facts of a build of a job image."""
    tags = f"{name}:{number:012x}" + (f" {name}:latest" if more.pop("latest", False) else "")
    return image(f"{name}{number}", tags, days, label=f'"{name}"', **more)


def notes(*facts: list[str] | str, **how: Any) -> list[str]:
    """What is said of the images that stay."""
    return [line[2:] for line in planned(*facts, **how) if line.startswith("~")]


def goes(*facts: list[str] | str, **how: Any) -> list[str]:
    """The images that may go, in their order."""
    rows = [line.split("\t") for line in planned(*facts, **how) if not line.startswith("~")]
    rank = ["dangling", "old-build", "other"]
    rows.sort(key=lambda row: (rank.index(row[0]), int(row[1])))
    return [row[2].removeprefix("sha256:") for row in rows]


def planned(*facts: list[str] | str, keep: int = 2, whole: bool = True) -> list[str]:
    """The lines of the plan."""
    lines = [f"now\t{NOW}", "job\tweb", "job\tbase", f"name\t{MANAGER}", "version\tv19.3.0"]
    for fact in facts:
        lines += [fact] if isinstance(fact, str) else fact
    command = ["awk", "-F", "\t", "-v", f"keep={keep}", "-f", str(ROOT / "templates/prune.awk")]
    text = "\n".join([*lines, *(["whole"] if whole else [])]) + "\n"
    ran = subprocess.run(command, input=text, text=True, capture_output=True, check=True)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


BUILDS = [build("web", n, days=20 - n, latest=n == 5) for n in (1, 2, 3, 4, 5)]


def test_the_current_build_and_the_previous_ones_stay() -> None:
    assert goes(*BUILDS) == ["web1", "web2"]
    assert goes(*BUILDS, keep=0) == ["web1", "web2", "web3", "web4"]
    assert goes(*BUILDS, keep=9) == []


def test_old_builds_go_before_other_images() -> None:
    assert goes(image("x", "x:1", 30), *BUILDS) == ["web1", "web2", "x"]


def test_the_current_build_is_the_one_that_latest_names_not_the_newest() -> None:
    back = [build("web", n, days=20 - n, latest=n == 1) for n in (1, 2, 3, 4)]
    assert goes(*back, keep=1) == ["web2", "web3"]


def test_without_latest_the_newest_is_the_current_one() -> None:
    assert goes(*[build("web", n, days=20 - n) for n in (1, 2, 3)], keep=1) == ["web1"]


def test_a_label_that_was_inherited_makes_no_build() -> None:
    """Each has the label of `web` and an own name; keep is for the builds of `web` alone."""
    child = image("child", "job:0123456789ab", 2, label='"web"')
    short = image("short", "web:0123456789a", 1, label='"web"')
    assert goes(*BUILDS, child, short) == ["web1", "web2", "child", "short"]


def test_the_current_build_stays_even_if_only_latest_is_left_of_its_names() -> None:
    assert goes(image("x", "web:latest", label='"web"')) == []


def test_of_two_builds_of_one_moment_one_is_the_newest() -> None:
    assert len(goes(build("web", 1, 9), build("web", 2, 9), keep=0)) == 1


KEPT = {
    "a container uses it": ["container\tsha256:x"],
    "it is named": ["name\tshop"],
    "it is named with Docker Hub's prefix": ["name\tdocker.io/library/shop:latest"],
    "a name with a variable may mean it": ["name\tsho$TAG"],
    "it was pulled within the hour": ["recent\tshop:latest"],
    "a container was made of it within the hour": ["recent\tsha256:x"],
    "a container named it within the hour": ["recent\tshop"],
}


@pytest.mark.parametrize("why", KEPT)
def test_an_image_stays_because(why: str) -> None:
    x, other = image("x", "shop:latest"), image("y", "other:latest")
    assert goes(x, other) == ["x", "y"]
    assert goes(*KEPT[why], x, other) == ["y"]


def test_what_the_settings_name_stays() -> None:
    text = prune.script(want(prune={"images": ["web-ci", "tools/*"]}))
    assert re.search(r"^names='.*\bweb-ci tools/\$'$", text, re.MULTILINE)
    tools, other = image("x", "tools/a:1"), image("y", "tool:1")
    assert goes("name\ttools/$", tools, other) == ["y"]


def test_a_variable_alone_names_nothing() -> None:
    assert goes("name\t$CI_IMAGE", image("x", "shop:latest")) == ["x"]


def test_an_old_build_in_use_stays() -> None:
    assert goes("container\tsha256:web1", *BUILDS) == ["web2"]


def test_an_image_named_by_its_digest_stays() -> None:
    x = image("x", "shop@sha256:d1")
    assert goes(x) == ["x"]
    assert goes("name\tshop:v1@sha256:d1", x) == []


def test_the_manager_and_its_helper_stay_and_an_older_helper_goes() -> None:
    manager, old = image("m", MANAGER), image("o", "gitlab/gitlab-runner:v18.0.0")
    helper, flavour = image("h", f"{HELPER}-v19.3.0"), image("p", f"{HELPER}-v19.3.0-pwsh")
    older = image("g", f"{HELPER}-v19.3.01")
    assert goes(manager, old, helper, flavour, older) == ["o", "g"]
    assert goes("version\t", manager, helper, older) == []


@pytest.mark.parametrize("name", ["foo/bar", "web2", "index", "web:latest", "we"])
def test_a_label_makes_no_build_of_what_the_settings_do_not_know(name: str) -> None:
    """Labels are whatever an image's author wrote; a job had it pulled."""
    bases = r'"{\"shop:latest\":\"sha256:x\"}"'
    evil = build(name, 1, 9, latest=True, bases=bases)
    assert goes(evil, image("x", "shop:latest")) == [f"{name}1", "x"]


def test_a_label_of_bases_keeps_nothing_unless_the_kit_built_the_image() -> None:
    bases = r'"{\"shop:latest\":\"sha256:x\"}"'
    used = image("used", "evil:1", label='"web"', bases=bases)
    assert goes("container\tsha256:used", used, image("x", "shop:latest")) == ["x"]


BREAKS = ["\n", "\r", "\t", "\\n", '"', "\u2028", "\u0085", "\x7f", "\0", "\x1b[2K"]


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize(
    "hidden", ["name\tshop", "container\tsha256:x", "version\t", "recent\tshop"]
)
def test_no_label_hides_a_fact(line_break: str, hidden: str) -> None:
    """Docker gives labels as JSON does: what breaks a line or a field is escaped."""
    label = json.dumps(f"x{line_break}{hidden}", ensure_ascii=False)
    evil = image("evil", "evil:1", label=label, bases=label)
    goes_all = ["evil", "x"]
    assert goes(evil, image("x", "shop:latest")) == goes_all
    assert goes(f"recent\t{label}", evil, image("x", "shop:latest")) == goes_all


@pytest.mark.parametrize("line", ["image\tx", "recent\tx\ty", "whole\tx", "stranger", "now"])
def test_nothing_goes_where_a_line_is_no_fact(line: str) -> None:
    assert goes(line, *BUILDS) == []
    assert notes(line, *BUILDS) == ["kept images: not all could be looked at, run again"]


@pytest.mark.parametrize(("base", "left"), [("sha256:old", []), ("sha256:gone", ["old"])])
def test_bases_of_kept_builds_stay_by_id_and_by_name(base: str, left: list[str]) -> None:
    kept = build("web", 1, 9, latest=True, bases=rf'"{{\"debian:bookworm\":\"{base}\"}}"')
    named, moved = image("new", "debian:bookworm", 3), image("old", "debian@sha256:d1", 9)
    assert goes(kept, named, moved) == left


def test_bases_of_builds_that_go_may_go() -> None:
    old = build("web", 1, 20, bases=r'"{\"node:18\":\"sha256:node18\"}"')
    current = build("web", 2, 9, latest=True, bases=r'"{\"node:24\":\"sha256:node24\"}"')
    bases = image("node18", "node:18"), image("node24", "node:24")
    assert goes(old, current, *bases, keep=0) == ["web1", "node18"]


def test_a_base_of_a_base_stays() -> None:
    web = build("web", 1, 9, latest=True, bases=r'"{\"base:latest\":\"sha256:base2\"}"')
    base = image("base2", "base:0000000000ff", 9, '"base"', r'"{\"debian:12\":\"sha256:d\"}"')
    newer = build("base", 3, 5, latest=True)
    assert goes(image("d", "debian:12"), base, newer, web, keep=0) == []


def test_an_image_stays_that_a_kept_one_lies_upon() -> None:
    """Without it nothing would be freed."""
    below, beside = image("b", "below:1", layers="l1 l2 "), image("c", "beside:1", layers="l1 l3 ")
    above = image("a", "above:1", layers="l1 l2 l4 ")
    assert goes("name\tabove:1", above, below, beside) == ["c"]


def test_the_order_is_by_the_last_tag_or_pull_whatever_the_time_zone() -> None:
    facts = [
        image("a", "a:1", 1000, tagged="2027-01-10T01:30:00+02:00"),  # 23:30 of the 9th
        image("b", "b:1", 1000, tagged="2027-01-09T23:45:00.123Z"),
        image("c", "c:1", 1000, tagged="2027-01-09T18:00:00-05:00"),  # 23:00
        image("d", "d:1", 300),
        image("e", days=1),
    ]
    assert goes(*facts) == ["e", "d", "c", "a", "b"]


def test_where_docker_tells_nothing_else_the_creation_counts() -> None:
    """As with images pulled into containerd's store, which are made elsewhere, long before."""
    alone = image("a", "a:1")[1:]
    assert goes(image("b", "b:1", 3000), alone, image("c", "c:1", 300)) == ["b", "a", "c"]


def test_what_came_within_the_hour_stays() -> None:
    """NOW is 2027-01-15T08:00:00Z."""
    tagged = image("a", "a:1", 9, tagged="2027-01-15T07:01:00Z")
    assert goes(
        tagged, image("b", "b:1", 0.03), image("c", days=0.03), image("d", "d:1", 0.05)
    ) == ["d"]


def test_nothing_goes_where_not_everything_could_be_looked_at() -> None:
    assert goes(*BUILDS, whole=False) == []
    for facts in ([], BUILDS):
        assert notes(*facts, whole=False) == ["kept images: not all could be looked at, run again"]


def test_where_docker_has_forgotten_part_of_the_hour_that_is_said() -> None:
    events = [f"event\t{NOW - 600 + n}" for n in range(256)]
    assert "256 events, here of 10 min:" in notes(*events, image("x", "x:1"))[0]
    assert notes(*events[1:], image("x", "x:1")) == []


def test_what_was_said_becomes_data() -> None:
    output = prune.parse(
        "waiting for another run: bob\n"
        "removed volume runner-x-cache-y 10\n"
        "removed image web:abc,web:def (0123456789ab) 20\n"
        "removed build-cache unused-for-168h 30\n"
        "would remove image <none> (0123456789ab) 40\n"
        "kept image a:1 (0123456789ab): a container uses it\n"
        "disk: 91% -> 58%\nfreed 60\n"
    )
    assert output.removed == (
        Item("volume", "runner-x-cache-y", 10),
        Item("image", "web:abc,web:def (0123456789ab)", 20),
        Item("build-cache", "unused-for-168h", 30),
    )
    assert output.pending == (Item("image", "<none> (0123456789ab)", 40),)
    assert (output.before, output.after, output.freed) == (91, 58, 60)
    assert output.notes == (
        "waiting for another run: bob",
        "kept image a:1 (0123456789ab): a container uses it",
    )


@pytest.mark.parametrize("line_break", ["\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_docker_says_of_an_image_that_stays_is_no_fact(line_break: str) -> None:
    line = f"kept image a:1 (0123456789ab): x{line_break}removed image b:1 9{line_break}freed 9"
    output = prune.parse(f"{line}\nfreed 0\n")
    assert (output.removed, output.freed, output.notes) == ((), 0, (line,))


def test_only_the_scheduled_run_takes_the_locks_of_the_kits_runs() -> None:
    assert f"exec 3<&0 9>>{place.LOCK}" in lock.script()
    assert f"exec 9>>{place.LOCK}" in prune.script(want(), scheduled=True)
    assert "flock" not in prune.script(want())


@pytest.mark.parametrize("options", [{}, {"force": True, "dry": True}, {"scheduled": True}])
def test_the_script_is_one_that_a_shell_can_read(options: dict[str, bool]) -> None:
    text = prune.script(want(prune={"images": ["it:2*"]}), **options)
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
