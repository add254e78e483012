"""The sandbox's images: the real ones where Docker Hub answers, else made on this machine."""

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import docker
import docker.errors
import requests
from docker.models.images import Image

from sandbox.daemon import packages
from sandbox.errors import SandboxError, translated
from sandbox.names import IMAGES, LABEL
from sandbox.removal import remove

RECIPE = f"{LABEL}.recipe"
HUB_PATIENCE = 8  # seconds
# What apt is told for good; of sid the index may be an old one.
APT = {"sid": ('Acquire::Check-Valid-Until "false"',)}
SLIM = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*", "force-unsafe-io")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass
class ImageStore:
    """Makes images and knows which are made already."""

    client: docker.DockerClient
    state: Path
    say: Callable[[str], None]
    _hub_answers: bool | None = None
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def find(self, name: str) -> Image | None:
        """An image of this machine."""
        try:
            return self.client.images.get(name)
        except docker.errors.ImageNotFound:
            return None

    def hub(self, reference: str, name: str) -> Image | None:
        """An image of Docker Hub under a name of ours, if the Hub gives it to us.

        It is pulled by digest: nobody's tag of that name moves.
        """
        if not self._hub_is_there():
            return None
        try:
            digest = self.client.images.get_registry_data(reference).id
            pinned = f"{reference.rpartition(':')[0]}@{digest}"
            known = self.find(pinned)
            image = known or self._pull(reference, digest)
        except docker.errors.APIError as error:
            self.say(f"Docker Hub does not give {reference}: {error.explanation}")
            return None
        image.tag(name)
        if not known:
            self.pulled(pinned)
        return self.client.images.get(name)

    def pulled(self, name: str) -> None:
        """Note an image that was not here before; it leaves with the sandbox."""
        with (self.state / "pulled").open("a") as names:
            names.write(f"{name}\n")

    def _hub_is_there(self) -> bool:
        with self._one_at_a_time("hub"):
            if self._hub_answers is None:
                try:
                    docker.from_env(timeout=HUB_PATIENCE).images.get_registry_data(
                        "debian:bookworm"
                    )
                    self._hub_answers = True
                except (docker.errors.DockerException, requests.RequestException):
                    self._hub_answers = False
                    self.say("Docker Hub does not answer")
            return self._hub_answers

    def _pull(self, reference: str, digest: str) -> Image:
        self.say(f"pulling {reference} from Docker Hub")
        return self.client.images.pull(reference.rpartition(":")[0], tag=digest)

    def base(self, suite: str) -> Image:
        """Debian, bare."""
        name = f"{IMAGES}/debian:{suite}"
        with self._one_at_a_time(name):
            known = self.find(name) or self.hub(f"debian:{suite}", name)
            return known or self._bootstrap(suite, name)

    def _one_at_a_time(self, name: str) -> threading.Lock:
        """Threads that need the same thing: the first makes it, the others find it made."""
        return self._locks.setdefault(name, threading.Lock())

    def _bootstrap(self, suite: str, name: str) -> Image:
        with self._one_at_a_time("tools"):
            tools(self.say)
        started = time.monotonic()
        archive = self.state / "downloads" / f"debian-{suite}.tar"
        command = [
            *(() if os.geteuid() == 0 else ("sudo",)),
            *("mmdebstrap", "--quiet", "--variant=minbase"),
            *(f"--dpkgopt={option}" for option in SLIM),
            '--aptopt=Acquire::Languages { "none"; }',
            *(f"--aptopt={option}" for option in APT.get(suite, ())),
            *(suite, str(archive)),
        ]
        self.say(f"making debian:{suite} from the distribution's packages")
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            last = (ran.stderr.strip().splitlines() or ["no word of why"])[-1]
            raise SandboxError(
                f"make debian:{suite}: mmdebstrap ended with exit code {ran.returncode}: {last}",
                "see that this machine reaches Debian's package archive, then run it again",
            )
        with translated(f"import debian:{suite}"):
            self.client.api.import_image_from_file(
                str(archive),
                repository=f"{IMAGES}/debian",
                tag=suite,
                changes=[f"LABEL {LABEL}=base", 'CMD ["bash"]'],
            )
            archive.unlink()
            self.say(f"made debian:{suite} ({time.monotonic() - started:.0f} s)")
            return self.client.images.get(name)

    def build(self, name: str, context: Path, dockerfile: str, base: Image, *more: str) -> Image:
        """An image of ours; made anew when its recipe or base changes, and every week."""
        with self._one_at_a_time(name):
            return self._build(name, context, dockerfile, base, *more)

    def _build(self, name: str, context: Path, dockerfile: str, base: Image, *more: str) -> Image:
        year, week, _ = datetime.date.today().isocalendar()
        arguments = {"BASE": own_name(base), "WEEK": f"{year}-{week}"}
        recipe = _hash(context, (dockerfile, *more), f"{base.id} {year}-{week}")
        lasting = f"{name}-{recipe}"  # another checkout may make another image of that name
        if known := self.find(lasting):
            known.tag(name)
            return known
        started = time.monotonic()
        self.say(f"building {name}")
        with translated(f"build {name}"):
            image, _ = self.client.images.build(
                path=str(context),
                dockerfile=dockerfile,
                tag=lasting,
                buildargs=arguments | {k: os.environ[k] for k in PROXIES if k in os.environ},
                labels={LABEL: "image", RECIPE: recipe},
                rm=True,
                forcerm=True,
            )
        image.tag(name)
        self._replaced(name, lasting)
        self.say(f"built {name} ({time.monotonic() - started:.0f} s)")
        return image

    def _replaced(self, name: str, lasting: str) -> None:
        """Remove what this sandbox built before of that name."""
        file = self.state / "built"
        known = json.loads(file.read_text()) if file.exists() else {}
        if (before := known.get(name, lasting)) != lasting:
            remove(self.client, before)
        file.write_text(json.dumps({**known, name: lasting}))


def own_name(image: Image) -> str:
    """The sandbox's own name for an image; it may have others."""
    return next(tag for tag in image.tags if tag.startswith(f"{IMAGES}/"))


def tools(say: Callable[[str], None]) -> None:
    """What it takes to make a Debian from packages."""
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    if not (shutil.which("mmdebstrap") and keyring.exists()):
        packages(say, "mmdebstrap", "debian-archive-keyring")


def _hash(context: Path, names: Iterable[str], more: str) -> str:
    """Of everything that an image is made from."""
    parts = [more, *((context / name).read_text() for name in names)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
