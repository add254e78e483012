"""The files of a site's cache of Docker Hub's images, on its own host and on those that ask it."""

import json

from runnerkit.files.write import Content
from runnerkit.templates import render
from runnerkit.want import Cache, OwnCache

NAME = "runnerkit-cache"  # the container, and its volume
FOLDER = "/var/lib/runnerkit/cache"
CONFIG, UPKEEP = f"{FOLDER}/config.yml", f"{FOLDER}/upkeep.sh"
CERTS = "/etc/docker/certs.d"
FILE = "runnerkit-cache.crt"  # in it, by which the kit knows its own again
INSIDE = "/etc/runnerkit-cache"  # the folder, as the container sees it


def certificate(ip: str) -> str:
    """Where a cache's certificate is on its host."""
    return f"{FOLDER}/{ip}.crt"


def trust(cache: Cache) -> str:
    """Where a host's Docker looks for it."""
    return f"{CERTS}/{cache.address}/{FILE}"


def key(own: OwnCache) -> str:
    """Where its key is there."""
    return f"{FOLDER}/{own.ip}.key"


def files(own: OwnCache) -> dict[str, Content]:
    """Its configuration (distribution/distribution, docs/configuration.md), of which JSON is a form."""
    proxy = {"remoteurl": own.upstream}
    if own.password:
        proxy |= {"username": own.username, "password": own.password.reveal()}
    data = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": "/var/lib/registry"},
            "delete": {"enabled": True},  # what it does itself after a week
        },
        "http": {
            "addr": own.address,
            "tls": {
                "certificate": f"{INSIDE}/{own.ip}.crt",
                "key": f"{INSIDE}/{own.ip}.key",
                "minimumtls": "tls1.2",
            },
        },
        "proxy": proxy,
    }
    text = json.dumps(data, indent=2) + "\n"
    return {UPKEEP: Content(render("cache-upkeep.sh")), CONFIG: Content(text, 0o600)}
