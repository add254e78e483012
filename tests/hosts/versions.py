"""Versions of the manager in the sandbox's mirror: good ones, and such as do not come up."""

import hashlib
import io
import json
import tarfile
from typing import Any

import docker

from sandbox.manager import ARCHITECTURE, NAME
from sandbox.services import mirror
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit, Ran
from tests.hosts.test_drain import INSIDE

OLD, NEW = f"{NAME}:v19.3.0", f"{NAME}:v19.3.1"
RUNS = "docker container inspect -f '{{.Config.Image}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}' gitlab-runner"
ONE = "docker container inspect -f '{{.Id}} {{.State.StartedAt}}' gitlab-runner"
LEFT = "docker ps -a --format '{{.Names}}'; ls -A /tmp /var/lib/runnerkit | grep -e before -e next -e new; :"
END = f"docker exec $({INSIDE}) touch /end"
PROGRAM = "/usr/bin/gitlab-runner"
# What each does in the place of `run`; its other commands are those of the program.
BROKEN = {
    "crashes": "exit 3",
    "refuses": "echo 'FATAL: Service run failed  error=toml: cannot load TOML value' >&2; exit 1",
    "sleeps": "exec sleep infinity",
}


def version(world: World, tag: str, *lines: str) -> str:
    """Put a version of the manager into the mirror, with its helper.

    Args:
        world: the sandbox.
        tag: its tag, v and a number.
        lines: of its Dockerfile besides.
    """
    client = docker.from_env()
    place = "/usr/lib/gitlab-runner-stand-in/standin/VERSION"
    base = f"runnerkit-sandbox/{NAME.rpartition('/')[2]}:v19.3.0"
    text = "\n".join([f"FROM {base}", f"RUN echo {tag.lstrip('v')} >{place}", *lines])
    image, _ = client.images.build(fileobj=io.BytesIO(text.encode()), rm=True, forcerm=True)
    helper = client.images.get(f"runnerkit-sandbox/gitlab-runner-helper:{ARCHITECTURE}-v19.3.0")
    mirror.push(client, world.names, image, f"{NAME}:{tag}")
    mirror.push(client, world.names, helper, f"{NAME}-helper:{ARCHITECTURE}-{tag}")
    return f"{NAME}:{tag}"


def foreign(world: World, tag: str, architecture: str) -> None:
    """The same of a version that is for another architecture alone."""
    client = docker.from_env()
    layer = bytes(10240)  # an empty archive
    config: dict[str, Any] = {
        "architecture": architecture,
        "os": "linux",
        "rootfs": {"type": "layers"},
    }
    config["rootfs"]["diff_ids"] = [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    listed = [{"Config": "config.json", "RepoTags": [f"foreign:{tag}"], "Layers": ["layer.tar"]}]
    texts = {"config.json": config, "manifest.json": listed}
    files = {name: json.dumps(one).encode() for name, one in texts.items()} | {"layer.tar": layer}
    with io.BytesIO() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        (image,) = client.images.load(archive.getvalue())
    helper = client.images.get(f"runnerkit-sandbox/gitlab-runner-helper:{ARCHITECTURE}-v19.3.0")
    mirror.push(client, world.names, image, f"{NAME}:{tag}")
    mirror.push(client, world.names, helper, f"{NAME}-helper:{ARCHITECTURE}-{tag}")
    client.images.remove(f"foreign:{tag}")


def broken(world: World, tag: str, kind: str) -> str:
    """The same of a version whose `run` does what BROKEN says."""
    script = f'#!/bin/sh\\ncase $1 in run) {BROKEN[kind]} ;; esac\\nexec {PROGRAM}.good "$@"\\n'
    quoted = script.replace("'", "'\\''")
    return version(
        world,
        tag,
        f"RUN mv {PROGRAM} {PROGRAM}.good && printf '{quoted}' >{PROGRAM} && chmod 755 {PROGRAM}",
    )


def upgrade(kit: Kit, *words: str, code: int = 0) -> Ran:
    """Upgrade all hosts, and check the exit code."""
    ran = kit.run("runner.upgrade", "--host", "all", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran


def standings(ran: Ran) -> dict[str, str]:
    return {name: one["standing"] for name, one in ran.hosts.items()}


def ready(kit: Kit, *hosts: BlankHost, **more: Any) -> None:
    kit.new_token(hosts[0].name)
    kit.settings(*hosts, **more)
    kit.bootstrap()


def runs(kit: Kit, host: BlankHost, image: str) -> None:
    """The manager runs from that image, as it should, and nothing else is left."""
    assert kit.ssh(host, RUNS) == f"{image} true always\n"
    assert kit.ssh(host, LEFT) == "gitlab-runner\n"
