"""What hosts have beside what settings say: it stays there, and a new host would be without it."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from runnerkit.adoption import tables
from runnerkit.adoption.entry import Site
from runnerkit.adoption.gap import Gap
from runnerkit.facts import Facts, Needs
from runnerkit.images.definition import NAME, labels
from runnerkit.images.reference import HUB, registry
from runnerkit.place import image_folders
from runnerkit.steps import manager
from runnerkit.want import Want

COMPOSE = "com.docker.compose.project"
LOGINS = "/root/.docker/config.json"


def needs(want: Want) -> Needs:
    return Needs(files=(LOGINS,), paths=_certificates(want))


def gaps(site: Site, want: Want) -> Iterator[Gap]:
    """Each with what to do for a new host."""
    if now := site.have.containers.get(site.place.container):
        if project := labels(now).get(COMPOSE):
            what = f"the manager's container is of docker compose's project {project}"
            fix = "take it out of the project's file before bootstrap changes it: compose would change it back"
            yield Gap(what, fix, site.name)
        options = " ".join(manager.options(want, now))
        if options:
            what = f"the manager's container has {options}"
            yield Gap(what, "one that replaces it keeps that; another host's has it not", site.name)
    if own := [path for path in _certificates(want) if path in site.have.paths]:
        what = f"certificates that no setting names: {', '.join(own)}"
        yield Gap(what, "put them on new hosts before bootstrap", site.name)
    images = [want.manager.image, *(runner.image for runner in want.runners)]
    if names := sorted(_logins(site.have) & {registry(image) for image in images}):
        # Not written by itself: it would give this machine's login to whoever said so.
        listed = ", ".join(f'"{name}"' for name in names)
        fix = f"[docker] registry_logins = [{listed}] gives hosts this machine's own, for what the kit pulls"
        yield Gap(
            f"it is logged in at {', '.join(names)}, where its images are from", fix, site.name
        )
    built = {labels(image).get(NAME, "") for image in site.have.images.values()}
    if lost := sorted(built - {""} - image_folders()):
        what = f"job images that the kit built, and whose definition is not here: {', '.join(lost)}"
        fix = "copy their folders of dockerfiles/, or their sections [images.NAME], from where they were built"
        yield Gap(what, fix, site.name)


def _logins(have: Facts) -> set[str]:
    """The registries at which root of the host is logged in."""
    file = have.files.get(LOGINS)
    try:
        auths = tables.table(tables.table(json.loads(file.text if file else "{}")).get("auths"))
        names = {urlsplit(one if "://" in one else f"//{one}").netloc for one in auths}
    except (ValueError, RecursionError):
        return set()
    hub = {"index.docker.io", "registry-1.docker.io"}
    return names - hub | ({HUB} if names & hub else set())


def _certificates(want: Want) -> tuple[str, ...]:
    """Where the runner and its container look for GitLab's (docs of tls-self-signed)."""
    host = urlsplit(want.url).hostname or ""
    names = ("ca", *([host] if host else ()))
    return tuple(f"{want.manager.config_dir}/certs/{name}.crt" for name in names)
