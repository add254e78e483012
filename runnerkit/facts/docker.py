"""What Docker's answers must be like where the kit reads them: a `docker` that is another program's
may say anything."""

from typing import Any

import msgspec
from msgspec import Struct

Words = list[str] | None


class _Index(Struct):
    Secure: bool = True


class _Registries(Struct):
    Mirrors: Words = None
    IndexConfigs: dict[str, _Index | None] | None = None


class _Info(Struct):
    ServerVersion: str | None = None
    DockerRootDir: str | None = None
    SecurityOptions: Words = None
    RegistryConfig: _Registries | None = None


class _State(Struct):
    Running: bool
    StartedAt: str = ""


class _Restart(Struct):
    Name: str


class _Logging(Struct):
    Config: dict[str, str] | None = None


class _Binding(Struct):
    HostIp: str | None = None
    HostPort: str | None = None


class _Host(Struct):
    RestartPolicy: _Restart
    LogConfig: _Logging | None = None
    PortBindings: dict[str, list[_Binding] | None] | None = None
    Tmpfs: dict[str, str] | None = None
    ExtraHosts: Words = None
    Dns: Words = None
    DnsSearch: Words = None
    DnsOptions: Words = None
    SecurityOpt: Words = None
    CapAdd: Words = None
    CapDrop: Words = None
    GroupAdd: Words = None


class _Mount(Struct):
    Destination: str
    Source: str = ""
    Name: str = ""


class _Config(Struct):
    Image: str
    Env: Words = None
    Labels: dict[str, str] | None = None


class _Container(Struct):
    Name: str
    Image: str
    State: _State
    HostConfig: _Host
    Config: _Config
    Mounts: list[_Mount]
    RestartCount: int = 0


class _ImageConfig(Struct):
    Env: Words = None
    Labels: dict[str, str] | None = None


class _RootFS(Struct):
    Layers: Words = None


class _Image(Struct):
    Id: str
    RepoTags: Words = None
    RepoDigests: Words = None
    Created: str | None = None
    Config: _ImageConfig | None = None
    RootFS: _RootFS | None = None


class _Answers(Struct):
    info: _Info
    version: dict[str, Any] | None
    containers: list[_Container]
    images: list[_Image]


def check(answers: dict[str, Any]) -> None:
    """Look at what ``docker info``, ``version`` and ``inspect`` said.

    Raises:
        ValueError: it is not as Docker writes it.
    """
    msgspec.convert(answers, _Answers)
