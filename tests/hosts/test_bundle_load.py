"""Images of a bundle on hosts: only the layers that each lacks, and a cut-off upload goes on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec.structs import replace as other

from runnerkit.bundle import difference, reading, saved, writing
from runnerkit.bundle.contents import BundledImage, Contents, Part, blob
from runnerkit.bundle.reading import Bundle
from runnerkit.bundle.saved import Wanted
from runnerkit.engine import load
from runnerkit.engine.client import find, saved_all
from runnerkit.errors import KitError
from runnerkit.images.content import content
from runnerkit.place import BUNDLE
from runnerkit.plan import Load
from sandbox.world import BlankHost, World
from tests.hosts.engines import ENGINES, running
from tests.hosts.kit import Kit
from tests.hosts.shipping import BUILD, CLEAN, NEW, OLD, door
from tests.hosts.test_bad_hosts import shadow

PADDING = 20_000  # bytes of what goes with the files
LONG = [pytest.param(name, marks=pytest.mark.long) for name in ENGINES if name != "20.10"]


@pytest.fixture(scope="module", params=["20.10", *LONG])
def one(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BlankHost]:
    """A host with an engine."""
    kit = Kit(world, tmp_path_factory.mktemp("load"))
    yield running(kit, "loads", request.param)
    world.remove("loads")


def bundled(kit: Kit, one: BlankHost, name: str, *names: str) -> Bundle:
    """A bundle of images that the host has; it has them no longer."""
    file = kit.folder / name
    with door(kit.world, one) as (machine, client), writing.gathering(file) as depot:
        wanted = [
            Wanted((each, each.replace("web:", "copy:")), content(find(client, each)))
            for each in names
        ]
        images = saved.gather(saved_all(client, list(names)), wanted, depot)
        writing.layout(depot, images)
        architecture = client.version()["Arch"]
        contents = Contents("1", "", architecture, tuple(images), parts=dict(depot.parts))
        writing.write(file, contents, depot.read)
        machine.run(CLEAN)
    return reading.opened(file)


def loaded(kit: Kit, one: BlankHost, made: Bundle, image: BundledImage) -> int:
    """The bytes that loading an image sends."""
    with door(kit.world, one) as (machine, client):
        return load.load(client, machine, Load("load it", image, made), lambda _: None)


@pytest.fixture(scope="module")
def made(world: World, one: BlankHost, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of two builds, 6 MB and 1 MB more."""
    kit = Kit(world, tmp_path_factory.mktemp("made"))
    kit.ssh(one, BUILD.format(OLD, "scratch", 6))
    kit.ssh(one, BUILD.format(NEW, OLD, 1))
    return bundled(kit, one, "b.tar", OLD, NEW)


@pytest.fixture(autouse=True)
def _clean(kit: Kit, one: BlankHost, made: Bundle) -> None:
    """The host has none of it."""
    kit.ssh(one, f"{CLEAN}rm -rf {BUNDLE}", check=False)


def test_only_the_layers_that_a_host_lacks_are_sent_and_the_image_is_the_same(
    kit: Kit, one: BlankHost, made: Bundle
) -> None:
    old, new = made.contents.images
    assert 6e6 < loaded(kit, one, made, old) < 6.1e6
    assert 1e6 < loaded(kit, one, made, new) < 1.1e6
    assert loaded(kit, one, made, new) < PADDING
    with door(kit.world, one) as (_, client):
        for image in (old, new):
            assert {content(find(client, name)) for name in image.names} == {image.content}
    assert kit.ssh(one, f"ls {BUNDLE} 2>/dev/null || :") == ""


def test_a_difference_is_small_and_tells_a_host_what_it_lacks(
    kit: Kit, one: BlankHost, made: Bundle
) -> None:
    older = replace(made, contents=other(made.contents, images=made.contents.images[:1],
                                         parts=_parts(made, made.contents.images[0])))  # fmt: skip
    file = kit.folder / "new.tar"
    _, size = difference.write(older, made, file)
    assert 1e6 < size < 1.1e6
    update = reading.opened(file)
    update.verify()
    old, new = update.contents.images
    with pytest.raises(KitError, match="only the difference to an older bundle") as caught:
        loaded(kit, one, update, new)
    assert "older bundle first" in caught.value.fix
    loaded(kit, one, made, old)
    assert 1e6 < loaded(kit, one, update, new) < 1.1e6


def _parts(made: Bundle, image: BundledImage) -> dict[str, Part]:
    return {blob(one): made.contents.parts[blob(one)] for one in image.blobs}


def test_a_cut_off_upload_goes_on_where_it_ended(
    kit: Kit, one: BlankHost, made: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = made.contents.images[1]
    whole, left = Bundle.read, 4 << 20

    def breaks(self: Bundle, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        nonlocal left
        for data in whole(self, name, start, end):
            left -= len(data)
            if left < 0:
                raise KitError("the connection broke")
            yield data

    with monkeypatch.context() as patch:
        patch.setattr(Bundle, "read", breaks)
        with pytest.raises(KitError, match="the connection broke"):
            loaded(kit, one, made, new)
    there = int(kit.ssh(one, f"cat {BUNDLE}/* | wc -c"))
    assert there > 3 << 20
    assert (
        loaded(kit, one, made, new) < made.contents.bytes([*made.contents.parts]) - there + PADDING
    )
    with door(kit.world, one) as (_, client):
        assert content(find(client, NEW)) == new.content


def test_a_byte_that_changes_on_the_way_is_refused(
    kit: Kit, one: BlankHost, made: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Bundle.read

    def changes(self: Bundle, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        for data in whole(self, name, start, end):
            yield data[:-1] + bytes([data[-1] ^ 1])

    with monkeypatch.context() as patch:
        patch.setattr(Bundle, "read", changes)
        with pytest.raises(KitError, match="files did not arrive whole"):
            loaded(kit, one, made, made.contents.images[0])
    assert loaded(kit, one, made, made.contents.images[0]) > 6e6


def test_a_host_without_room_is_told_before_a_byte_is_sent(
    kit: Kit, one: BlankHost, made: Bundle
) -> None:
    put, away = shadow("/usr/local/bin/df", f"echo; echo disk 0 0 {3 << 10} 0% /")
    kit.ssh(one, put)
    try:
        with pytest.raises(
            KitError, match=f"3 MB free in {BUNDLE} on the host, 6 MB needed"
        ) as caught:
            loaded(kit, one, made, made.contents.images[0])
    finally:
        kit.ssh(one, away)
    assert "nothing was sent" in caught.value.fix
