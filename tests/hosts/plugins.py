"""Fleeting plugins in a registry, as the official program fetches them.

What one is made of follows fleeting-artifact's client.go: an OCI index of images by platform, in
which the layer that holds plugin/plugin is marked with the version.
"""

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

OCI = "application/vnd.oci.image"
MARK = "com.gitlab.fleeting.layer"


def publish(registry: str, name: str, version: str, program: bytes) -> None:
    """Put a plugin into a registry, under its version and the shorter ones that stand for it.

    Args:
        registry: its URL; it is awaited.
        name: the plugin's, of which the last part is the plugin proper.
        version: three numbers.
        program: what shall be run.
    """
    with requests.Session() as patient:
        patient.mount(
            registry, HTTPAdapter(max_retries=Retry(30, backoff_factor=0.1, backoff_max=1))
        )
        patient.get(f"{registry}/v2/", timeout=30).raise_for_status()
    where = f"{registry}/v2/{name}"
    layer = _layer(program)
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    parts = [
        _blob(where, f"{OCI}.config.v1+json", json.dumps(config).encode()),
        {**_blob(where, f"{OCI}.layer.v1.tar+gzip", layer), "annotations": {MARK: version}},
    ]
    image = _manifest("manifest", config=parts[0], layers=parts[1:])
    digest = f"sha256:{hashlib.sha256(image).hexdigest()}"
    _put(f"{where}/manifests/{digest}", f"{OCI}.manifest.v1+json", image)
    entry = {"mediaType": f"{OCI}.manifest.v1+json", "digest": digest, "size": len(image)}
    entry |= {"platform": {"architecture": "amd64", "os": "linux"}}
    index = _manifest("index", manifests=[entry])
    for tag in (version, version.rpartition(".")[0], version.partition(".")[0], "latest"):
        _put(f"{where}/manifests/{tag}", f"{OCI}.index.v1+json", index)


def _layer(program: bytes) -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            entry = tarfile.TarInfo("plugin/plugin")
            entry.mode, entry.size = 0o755, len(program)
            archive.addfile(entry, io.BytesIO(program))
        return gzip.compress(file.getvalue())


def _manifest(kind: str, **fields: Any) -> bytes:
    media = f"{OCI}.{kind}.v1+json"
    return json.dumps({"schemaVersion": 2, "mediaType": media, **fields}).encode()


def _blob(where: str, media: str, data: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    begun = requests.post(f"{where}/blobs/uploads/", timeout=30)
    begun.raise_for_status()
    end = {"digest": digest}
    requests.put(begun.headers["Location"], data, params=end, timeout=30).raise_for_status()
    return {"mediaType": media, "digest": digest, "size": len(data)}


def _put(url: str, media: str, data: bytes) -> None:
    requests.put(url, data, headers={"Content-Type": media}, timeout=30).raise_for_status()
