"""An image that is an index: of several platforms, of which one is there, and with its provenance."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.engines import engine, host
from tests.hosts.kit import Kit
from tests.hosts.shipping import BUILD, NEW, OLD, shipped

pytestmark = pytest.mark.long  # hosts of sid are made for it
INDEX = f"""set -e; cd "$(mktemp -d)"; docker save {OLD} | tar x; rm -f manifest.json
blob() {{ cat >blob; set -- $(sha256sum blob) $(stat -c %s blob); mv blob blobs/sha256/$1
  echo '"digest":"sha256:'$1'","size":'$3; }}
oci=application/vnd.oci.image
own=$(grep -o '"mediaType":"[^"]*manifest[^"]*","digest":"[^"]*","size":[0-9]*' index.json)
config=$(echo '{{"architecture":"unknown","os":"unknown","rootfs":{{"type":"layers","diff_ids":[]}}}}' | blob)
layer=$(echo '{{"_type":"https://in-toto.io/Statement/v0.1"}}' | blob)
note=$(echo '{{"schemaVersion":2,"mediaType":"'$oci.manifest.v1+json'","config":{{"mediaType":"'$oci.config.v1+json'",'$config'}},"layers":[{{"mediaType":"application/vnd.in-toto+json",'$layer'}}]}}' | blob)
lost='"mediaType":"'$oci.manifest.v1+json'","digest":"sha256:{"ab" * 32}","size":500'
index=$(echo '{{"schemaVersion":2,"mediaType":"'$oci.index.v1+json'","manifests":[
  {{'$lost',"platform":{{"os":"linux","architecture":"s390x"}}}},
  {{'$own',"platform":{{"os":"linux","architecture":"'$(dpkg --print-architecture)'"}}}},
  {{"mediaType":"'$oci.manifest.v1+json'",'$note',"platform":{{"os":"unknown","architecture":"unknown"}},
    "annotations":{{"vnd.docker.reference.type":"attestation-manifest"}}}}]}}' | blob)
echo '{{"schemaVersion":2,"manifests":[{{"mediaType":"'$oci.index.v1+json'",'$index',
  "annotations":{{"io.containerd.image.name":"docker.io/library/{NEW}"}}}}]}}' >index.json
tar c . | docker load"""


@pytest.fixture(scope="module")
def pair(world: World) -> Iterator[tuple[BlankHost, BlankHost]]:
    yield host(world, "index", "sid"), world.host("classic", "docker")
    for name in ("index", "classic"):
        world.remove(name)


@pytest.mark.parametrize("registry", ["registry:2", "nowhere.invalid/registry:2"])
def test_of_an_index_the_hosts_own_image_is_shipped(
    kit: Kit, pair: tuple[BlankHost, BlankHost], registry: str
) -> None:
    source, target = engine(kit, pair[0], True), engine(kit, pair[1])
    kit.ssh(source, BUILD.format(OLD, "scratch", 1))
    assert NEW in kit.ssh(source, INDEX)
    (moved,) = shipped(kit, source, target, image=NEW, registry=registry)
    assert moved.way == ("registry" if registry == "registry:2" else "save and load")
    assert shipped(kit, source, target, image=NEW)[0].way == ""
