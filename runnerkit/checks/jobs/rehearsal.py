"""A job's container starts, has a shell, and reaches what a job must reach."""

import re
from collections import defaultdict
from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.facts.attempt import Attempt, host_of, verdict
from runnerkit.facts.job_options import CLONE, entries
from runnerkit.facts.rehearsal import LIMIT, METADATA, Case, Rehearsal
from runnerkit.redact import mask
from runnerkit.want import Want

LEAST_KB = 512 << 10  # for the sources of a job

UNPULLED = Kind(
    "job-image-not-pulled",
    Level.NOTE,
    "the image is not on the host yet, so it was not tried; the first job pulls it: {where}",
    "docker pull it on the host, then ask doctor again",
)
FAILS = Kind(
    "job-container-fails",
    Level.ERROR,
    "a job's container does not start: {why} ({where})",
    "correct docker of the runner in the settings; see that line in config.toml on the host",
)
NO_SHELL = Kind(
    "image-no-shell",
    Level.ERROR,
    "the image has no shell, which a job's script is read by: {where}",
    "take its variant with one, or copy a busybox into it",
)
ENTRYPOINT = Kind(
    "image-entrypoint",
    Level.ERROR,
    "the image's entrypoint does not run the shell that a job gives it: {where}{why}",
    'let it end in exec "$@", or take it off: ENTRYPOINT [] in the Dockerfile, entrypoint: [""] in the job',
)
DNS = Kind(
    "job-dns",
    Level.ERROR,
    "in a job's container {name} cannot be resolved: {where}",
    'give the runner docker.dns = ["ADDRESS"] of a server that knows it, or docker.extra_hosts',
)
UNREACHED = Kind(
    "job-gitlab-unreachable",
    Level.ERROR,
    "a job's container does not reach {url}: {why} ({where})",
    "let containers through: iptables -S DOCKER-USER and the host's firewall, its route, the proxy of jobs "
    "(settings.environment), the MTU",
)
CLONE_URL = Kind(
    "job-clone-url-unreachable",
    Level.ERROR,
    "a job's container does not reach the runner's clone_url {url}: {why} ({where})",
    "correct settings.clone_url of the runner, or leave it out: sources then come from GitLab's own address",
)
CERTIFICATE = Kind(
    "job-certificate",
    Level.NOTE,
    "tools of the image do not accept GitLab's certificate: {where}",
    "put its CA into the image (update-ca-certificates); git of jobs is not concerned: it has the runner's",
)
DISK = Kind(
    "job-disk-short",
    Level.ERROR,
    "a job has {free} MB for its sources in {builds}: {where}",
    "make room (./inv image.prune), or give docker.volumes a larger disk for that folder",
)
READ_ONLY = Kind(
    "job-builds-read-only",
    Level.ERROR,
    "a job may not write to {builds}, where its sources will be: {where}",
    "correct its entry in docker.volumes, or docker.user of the runner",
)
OPEN = Kind(
    "job-metadata-open",
    Level.ERROR,
    "a job's container reaches the cloud's metadata address, which the settings close: {where}",
    "./inv bootstrap sets the rule again; where it is there, close it by the cloud's own setting",
)
REACHED = Kind(
    "job-metadata-reachable",
    Level.NOTE,
    "jobs of people who need not trust each other reach the cloud's metadata address: {where}",
    'set [docker] metadata = "closed", unless they shall have the rights of the machine',
)
ABSENT = Kind(
    "job-volume-absent",
    Level.NOTE,
    "a volume of jobs is not on the host, and will be empty: {source} ({where})",
    "make it there, or correct docker.volumes of the runner",
)
LATE = Kind(
    "job-container-late",
    Level.NOTE,
    "a job's container did not answer within {limit} s, or was killed: {where}",
    "see the load of the host, and what the image's entrypoint waits for",
)
STARTS = (UNPULLED, FAILS, NO_SHELL, ENTRYPOINT, ABSENT, LATE)
KINDS = (*STARTS, DNS, UNREACHED, CLONE_URL, CERTIFICATE, DISK, READ_ONLY, OPEN, REACHED)
NO_TOOL = re.compile(r"(?m)^shell not found$|exec: \\?\"(?:/bin/)?sh\\?\"")


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What was seen, alike things once with the images and runners where they were."""
    places: dict[tuple[Kind, tuple[tuple[str, object], ...]], list[str]] = defaultdict(list)
    for one in have.rehearsals:
        for kind, values in _found(want, have, one):
            where = f"{one.case.image} of {', '.join(one.case.runners)}"
            places[kind, tuple(values.items())].append(where)
    for (kind, pairs), every in places.items():
        yield kind.found(**dict(pairs), where="; ".join(dict.fromkeys(every)))


def _found(want: Want, have: Facts, one: Rehearsal) -> Iterator[tuple[Kind, dict[str, object]]]:
    if one.code is None:
        if not _local(want, have, one.case):  # else others tell
            yield UNPULLED, {}
        return
    for source in one.absent:
        yield ABSENT, {"source": source}
    if not one.begins:
        yield _unstarted(one)
        return
    yield from _addresses(one)
    if one.free_kb is not None and one.free_kb < LEAST_KB:
        yield DISK, {"free": one.free_kb >> 10, "builds": one.case.builds}
    if not one.writable and any(v.source and v.path == one.case.builds for v in one.case.volumes):
        yield READ_ONLY, {"builds": one.case.builds}
    if METADATA in one.attempts and verdict(one.attempts[METADATA]) == "reached":
        shared = {runner.key for runner in want.runners if runner.spec.hardening == "shared"}
        if want.metadata_closed:
            yield OPEN, {}
        elif shared & {*one.case.runners}:
            yield REACHED, {}


def _local(want: Want, have: Facts, missing: Case) -> bool:
    """Whether nobody but the kit brings the image."""
    known = {name: entry["docker"] for name, entry in entries(want, have)}
    policies = [known[name].get("pull_policy") for name in missing.runners if name in known]
    built = missing.image in {job.reference for job in want.images}
    return built or any(policy in ("never", ["never"]) for policy in policies)


def _unstarted(one: Rehearsal) -> tuple[Kind, dict[str, object]]:
    if NO_TOOL.search(one.error):
        return NO_SHELL, {}
    if one.code == 137 or (one.code == -1 and not one.error):
        return LATE, {"limit": LIMIT}
    lines = (line for line in mask(one.error).splitlines() if line.strip())
    why = next(lines, "")[:300]
    if one.code in (125, -1) or "Error response from daemon" in one.error:
        return FAILS, {"why": why or "docker run says nothing"}
    return ENTRYPOINT, {"why": f": {why}" if why else ""}


def _addresses(one: Rehearsal) -> Iterator[tuple[Kind, dict[str, object]]]:
    for name, url in one.case.addresses:
        attempt = one.attempts.get(name, Attempt("nothing", 0))
        match verdict(attempt):
            case "unknown name":
                yield DNS, {"name": host_of(url)}
            case "unreached":
                why = mask(attempt.text)[:200] or f"no answer ({attempt.tool})"
                yield (CLONE_URL if name == CLONE else UNREACHED), {"url": mask(url), "why": why}
            case "untrusted":
                yield CERTIFICATE, {}
