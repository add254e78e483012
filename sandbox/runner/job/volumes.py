"""The volumes of a job: managed ones by name, host directories as they are."""

import hashlib
import posixpath
from collections.abc import Mapping

from ..table import Table
from .engine import Engine
from .failure import Failure


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def volume_name(unique_name: str, path: str) -> str:
    return f"runner-{md5(unique_name)}-cache-{md5(path)}"


class Volumes:
    """Gathers binds; what it made for this job only, it removes again."""

    def __init__(self, engine: Engine, docker: Table, labels: Mapping[str, str]) -> None:
        self.binds: list[str] = []
        self._engine = engine
        self._docker = docker
        self._labels = {**labels, "com.gitlab.gitlab-runner.type": "cache"}
        self._paths: set[str] = set()
        self._temporary: list[str] = []

    def prepare(self, builds_dir: str, unique_name: str, random_name: str) -> None:
        """Those of the settings last from job to job; one for the checkout does not."""
        for spec in self._docker.texts("volumes"):
            if ":" in spec:
                self._claim(spec.split(":")[1])
                self.binds.append(spec)
            elif not self._docker.flag("disable_cache"):
                path = self._claim(posixpath.join(builds_dir, spec))
                self._create(volume_name(unique_name, path), path)
        if not any(f"{builds_dir}/".startswith(posixpath.join(path, "")) for path in self._paths):
            name = volume_name(random_name, builds_dir)
            self._temporary.append(name)
            self._create(name, builds_dir)

    def _create(self, name: str, path: str) -> None:
        self._engine(lambda api: api.create_volume(name, labels=self._labels))
        self.binds.append(f"{name}:{path}")

    def _claim(self, path: str) -> str:
        path = posixpath.normpath(path)
        if path in self._paths:
            raise Failure(f'volume for container path "{path}" is already defined')
        self._paths.add(path)
        return path

    def clean(self) -> None:
        for name in self._temporary:
            self._engine.remove_volume(name)
