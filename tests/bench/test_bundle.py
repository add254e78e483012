"""A host that reaches nothing, set up from a bundle, against the recipe with a mirror beside it."""

from pathlib import Path

from tests.bench.test_budgets import RECIPE, seconds
from tests.hosts.conftest import Blank, blank, kit, world
from tests.hosts.kit import Kit
from tests.hosts.test_bundle import bootstrapped, cut_off, file, maker, settings

__all__ = ["blank", "file", "kit", "maker", "world"]


def test_a_bundle_against_the_recipe_with_a_mirror(kit: Kit, blank: Blank, file: Path) -> None:
    by_hand, offline = [], []
    for _ in range(3):
        host = blank("systemd")
        words = {"MIRROR": kit.world.mirror_url, "IMAGE": kit.world.runner_image,
                 "URL": kit.world.gitlab_url, "TOKEN": kit.new_token()}  # fmt: skip
        head = "".join(f"{name}={value}\n" for name, value in words.items())
        by_hand.append(seconds(lambda: kit.ssh(host, head + RECIPE.read_text())))  # noqa: B023
        kit.world.remove(host.name)
        host = blank("systemd")
        settings(kit, host)
        cut_off(kit, host)
        kit.new_token()
        offline.append(seconds(lambda: bootstrapped(kit, file)))
        kit.world.remove(host.name)
    ratio = min(offline) / min(by_hand)
    print(f"\n  recipe {by_hand}, bootstrap --bundle {offline}; ratio {ratio:.2f}")
    assert ratio < 1
