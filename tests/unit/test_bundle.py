"""The file of a bundle: whole or not at all, known by its head, each part by its digest."""

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path

import pytest

from runnerkit.bundle import reading, saved, signature, writing
from runnerkit.bundle.contents import HEAD, INDEX, blob, parsed
from runnerkit.bundle.saved import Wanted
from runnerkit.errors import KitError
from runnerkit.fleet.bundles import difference
from runnerkit.place import ROOT
from tests.unit.build import MANAGER
from tests.unit.bundling import DEB, NAMES, bundle, pieces, save

BASE, TOP = b"base" * 5000, b"top" * 5000


def test_a_layer_that_images_share_is_there_once_and_unpacks_to_what_it_was(tmp_path: Path) -> None:
    made = bundle(tmp_path, {"one:1": [BASE, TOP], "two:1": [BASE]})
    one, two = made.contents.images
    assert one.layers[0] == two.layers[0]
    plain = [gzip.decompress(b"".join(made.read(blob(layer.digest)))) for layer in one.layers]
    assert plain == [BASE, TOP]
    assert [layer.size for layer in one.layers] == [len(BASE), len(TOP)]
    layers = [name for name in made.contents.parts if name.startswith("blobs/")]
    assert len(layers) == 2 + 2 * 2  # layers; a configuration and a manifest each


@pytest.mark.parametrize("packed", [True, False])
def test_a_layer_that_is_packed_already_stays_as_it_is(tmp_path: Path, packed: bool) -> None:
    text = save({"one:1": [BASE]})
    with writing.gathering(tmp_path / "b") as depot:
        (image,) = saved.gather(pieces(text), [Wanted(("one:1",), "x")], depot)
        first = b"".join(depot.read(blob(image.layers[0].digest)))
    again = _with_layer(text, first) if packed else text  # as containerd's store saves it
    with writing.gathering(tmp_path / "c") as depot:
        (other,) = saved.gather(pieces(again), [Wanted(("one:1",), "x")], depot)
    assert other == image


def _with_layer(text: bytes, layer: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(text)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            content = old.extractfile(member)
            data = content.read() if content else b""
            if member.name.endswith("layer.tar"):
                data, member.size = layer, len(layer)
            new.addfile(member, io.BytesIO(data))
    return out.getvalue()


def test_it_is_an_image_layout_to_other_programs(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    with tarfile.open(made.file) as archive:
        archive.extractall(tmp_path / "layout", filter="data")
    index = json.loads((tmp_path / "layout" / INDEX).read_text())
    names = [one["annotations"]["org.opencontainers.image.ref.name"] for one in index["manifests"]]
    assert names == list(NAMES)
    for one in index["manifests"]:
        manifest = json.loads((tmp_path / "layout" / blob(one["digest"])).read_text())
        for each in (manifest["config"], *manifest["layers"]):
            assert (tmp_path / "layout" / blob(each["digest"])).stat().st_size == each["size"]
    sums = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "layout", check=False
    )
    assert sums.returncode == 0


def test_the_list_is_read_from_the_head_alone(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    os.truncate(made.file, 1 << 14)  # nothing of the rest
    assert reading.opened(made.file).contents == made.contents


def test_one_flipped_byte_is_refused_and_named_wherever_it_is(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    assert made.verify() == len(made.contents.parts)
    with tarfile.open(made.file) as archive:
        members = {one.name: one for one in archive}
    for name in made.contents.parts:
        other = tmp_path / "flipped.tar"
        shutil.copy(made.file, other)
        with other.open("r+b") as file:
            file.seek(members[name].offset_data + members[name].size // 2)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
        with pytest.raises(KitError, match=f"{name} is not what the list says"):
            reading.opened(other).verify()


@pytest.mark.parametrize("bytes_", [0, 100, 5000, 14_000])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, bytes_: int) -> None:
    made = bundle(tmp_path)
    other = tmp_path / "cut.tar"
    other.write_bytes(made.file.read_bytes()[:bytes_])
    with pytest.raises(KitError, match=r"cut off|no bundle|ends within"):
        reading.opened(other).verify()


def test_what_is_not_in_the_list_is_refused(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    with tarfile.open(made.file, "a") as archive:
        archive.add(__file__, "more.sh")
    with pytest.raises(KitError, match=r"more.sh, which is not in its list"):
        reading.opened(made.file).verify()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"schema": 1', '"schema": 2', "schema 2"),
        ('"kit": "1"', '"kit": 1', "no bundle of this kit"),
        (f'"{DEB}": {{', f'"{DEB}x": {{', "does not list"),
        ("debian-12", "$(reboot)", "no bundle of this kit"),
        ("docker.io_1", "../docker.io", "no bundle of this kit|wrong names"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = bundle(tmp_path).text.decode()
    assert old in text
    with pytest.raises(KitError, match=says):
        parsed(text.replace(old, new).encode(), "b.tar")


def test_a_make_that_fails_leaves_nothing_and_the_former_file_as_it_was(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    before = made.file.read_bytes()
    with pytest.raises(KitError, match="did not save"):
        bundle(tmp_path, {"one:1": [BASE]} | {"two:1": [TOP]}, sign=_fails)
    assert made.file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [made.file]


def _fails(text: bytes) -> bytes:
    raise KitError("the engine did not save it", "")


def test_an_image_that_the_engine_did_not_save_whole_is_refused(tmp_path: Path) -> None:
    damaged = save({"one:1": [BASE]}).replace(BASE, BASE[:-1] + b"x")
    with (
        pytest.raises(KitError, match="did not save the layer"),
        writing.gathering(tmp_path / "b") as depot,
    ):
        saved.gather(iter([damaged]), [Wanted(("one:1",), "x")], depot)
    assert not [*tmp_path.iterdir()]


def test_a_signature_is_of_its_key_and_of_that_list(tmp_path: Path) -> None:
    for name in ("key", "other"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    key, other = (signature.public(str(tmp_path / f"{name}.pub")) for name in ("key", "other"))
    signed = bundle(tmp_path, sign=partial(signature.sign, tmp_path / "key"))
    signature.check(signed, key)
    signed.verify()
    for wrong in (other, "ssh-ed25519 AAAA"):
        with pytest.raises(KitError, match="not signed by that key"):
            signature.check(signed, wrong)
    with pytest.raises(KitError, match="is not signed"):
        signature.check(bundle(tmp_path, name="plain.tar"), key)
    changed = reading.Bundle(signed.file, signed.contents, signed.text + b" ", signed.signature)
    with pytest.raises(KitError, match="not signed by that key"):
        signature.check(changed, key)


MEMORY = """
import hashlib, os, resource, sys
from pathlib import Path
from runnerkit.bundle import reading, writing
from runnerkit.bundle.contents import Contents, blob
file, megabytes = Path(sys.argv[1]), int(sys.argv[2])
piece = os.urandom(1 << 20)
with writing.gathering(file) as depot:
    part = depot.add("wheels/one", (piece for _ in range(megabytes)))
    writing.write(file, Contents("1", "", "amd64", (), parts=dict(depot.parts)), depot.read)
reading.opened(file).verify()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_stays_flat_however_large_it_is(tmp_path: Path) -> None:
    def peak(megabytes: int) -> int:
        command = [sys.executable, "-c", MEMORY, str(tmp_path / "b.tar"), str(megabytes)]
        return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)

    assert peak(200) - peak(2) < 20_000  # KB


def test_the_first_member_is_the_list(tmp_path: Path) -> None:
    with tarfile.open(bundle(tmp_path).file) as archive:
        assert archive.getnames()[0] == HEAD


def test_a_difference_is_not_written_over_what_it_is_made_of(tmp_path: Path) -> None:
    old = bundle(tmp_path, {MANAGER: [BASE]}, "old.tar").file
    new = bundle(tmp_path, {MANAGER: [BASE, TOP]}, "new.tar").file
    (tmp_path / "link.tar").symlink_to(new)
    before = new.read_bytes()
    for file in (new, old, tmp_path / "link.tar"):
        with pytest.raises(KitError, match="one of the two bundles"):
            difference.make(old, new, file, "", lambda *_: None)
    assert new.read_bytes() == before
