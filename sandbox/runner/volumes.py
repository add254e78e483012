"""The volumes of a job: managed ones by name, host directories as they are."""

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .build_log import BuildLog
from .engine import Engine
from .errors import Failure


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def volume_name(unique_name: str, path: str) -> str:
    return f"runner-{md5(unique_name)}-cache-{md5(path)}"


@dataclass
class Volumes:
    """Gathers binds; what it made for this job only, it removes again."""

    docker: Mapping[str, Any]
    unique_name: str
    random_name: str
    labels: Mapping[str, str]
    builds_dir: str
    binds: list[str] = field(default_factory=list)
    _paths: set[str] = field(default_factory=set)
    _temporary: list[str] = field(default_factory=list)

    def prepare(self, engine: Engine, log: BuildLog, keep_builds: bool) -> None:
        for spec in self.docker.get("volumes", []):
            if ":" in spec:
                self._host(spec)
            elif self.docker.get("disable_cache"):
                log.warning(
                    "Container based cache volumes creation is disabled. "
                    f'Will not create volume for "{spec}"'
                )
            else:
                self._managed(engine, spec, temporary=False)
        if not any(self._inside(path) for path in self._paths):
            temporary = not keep_builds or bool(self.docker.get("disable_cache"))
            self._managed(engine, self.builds_dir, temporary)

    def _inside(self, path: str) -> bool:
        return posixpath.join(self.builds_dir, "").startswith(posixpath.join(path, ""))

    def _host(self, spec: str) -> None:
        self._claim(spec.split(":")[1])
        self.binds.append(spec)

    def _managed(self, engine: Engine, path: str, temporary: bool) -> None:
        path = self._claim(path)
        if (base := self.docker.get("cache_dir")) and not temporary:
            self.binds.append(f"{base}/{self.unique_name}/{md5(path)}:{path}")
            return
        name = volume_name(self.random_name if temporary else self.unique_name, path)
        labels = {**self.labels, "com.gitlab.gitlab-runner.type": "cache"}
        driver = self.docker.get("volume_driver") or None
        options = self.docker.get("volume_driver_ops") or None
        engine(lambda api: api.create_volume(name, driver, options, labels))
        self.binds.append(f"{name}:{path}")
        if temporary:
            self._temporary.append(name)

    def _claim(self, path: str) -> str:
        path = posixpath.normpath(posixpath.join(self.builds_dir, path))
        if path == "/":
            raise Failure("build directory needs to be a non-root path")
        if path in self._paths:
            raise Failure(f'volume for container path "{path}" is already defined')
        self._paths.add(path)
        return path

    def clean(self, engine: Engine) -> None:
        for name in self._temporary:
            engine.remove_volume(name)
        self._temporary.clear()
