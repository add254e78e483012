"""The files of a site's cache of Docker Hub's images, on its own host and on those that ask it."""

import json

from runnerkit.facts.docker_trust import CERTS
from runnerkit.files.write import Content
from runnerkit.templates import render
from runnerkit.want import OwnCache

NAME = "runnerkit-cache"  # the container, and its volume
FOLDER = "/var/lib/runnerkit/cache"
CONFIG, UPKEEP = f"{FOLDER}/config.yml", f"{FOLDER}/upkeep.sh"
AUTHORITY = f"{FOLDER}/ca.crt"  # of [network] ca_file, which its upstream may have
FILE = "runnerkit-cache*.crt"  # in it, by which the kit knows its own again
INSIDE = "/etc/runnerkit-cache"  # the folder, as the container sees it


def certificate(ip: str) -> str:
    """Where a cache's certificate is on its host."""
    return f"{FOLDER}/{ip}.crt"


def trust(address: str, store: str) -> tuple[str, ...]:
    """Where a host's Docker looks for a cache's certificate.

    From 29 on, with containerd's store, that is one folder for all mirrors of Docker Hub (moby's
    daemon/hosts.go, mergeLegacyConfig). There it is only with that store, as others know of no such thing.

    Args:
        address: the cache's, with its port.
        store: whose image store the engine has.
    """
    own = f"{CERTS}/{address}/{FILE.replace('*', '')}"
    together = f"{CERTS}/docker.io/{FILE.replace('*', f'-{address}')}"
    return (own, together) if store == "containerd" else (own,)


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
    found = {UPKEEP: Content(render("cache-upkeep.sh")), CONFIG: Content(text, 0o600)}
    return found | ({AUTHORITY: Content(own.ca)} if own.ca else {})
