"""The options of the menu: what each is said to do, and how many hosts are changed at a time."""

from typing import TYPE_CHECKING

from runnerkit.errors import KitError

if TYPE_CHECKING:
    from runnerkit.fleet.run import Pace

HELP = {
    "host": "comma-separated: local, user@address[:port], an ssh alias, a name or glob of [hosts], all",
    "url": "GitLab's address, https://…",
    "image": "the job image: a folder of dockerfiles/, a name of [images], or any reference",
    "name": "the runner's name; the host's own name if not given",
    "tags": "comma-separated tags of the runner",
    "mirror": "a registry mirror of Docker Hub for the hosts, https://…",
    "mirrors": "more mirrors than the settings, the hosts and the kit's list name: URL,URL",
    "mirrors-anew": 'ask registry mirrors though some are chosen, with registry_mirrors = "auto"',
    "bundle": "a file of bundle.make: all that would be fetched comes from it, and no network is needed",
    "file": "the bundle",
    "old": "the bundle that hosts were set up from",
    "new": "a newer bundle, for the same hosts",
    "registry": "registry.example.com:5000, or a path in it; REGISTRY_USER and REGISTRY_PASSWORD log in",
    "kit": "put the kit's own libraries into it too, as the lock file has them",
    "arch": "the processor that it must be for, as amd64: what the machine that makes it is if not given",
    "key": "sign it with this private key of ssh",
    "json": "print data on stdout instead of a table",
    "message": "what a log says, to be looked up; - reads a whole log from stdin",
    "rehearsal": "start a container as a job would get it, of each image, and look from within",
    "job": "the id of a job, or its address: why it failed",
    "names": "comma-separated job images; all: those of the settings",
    "from": "the host that builds it; this machine if not given",
    "force": "remove all that no job needs, however much of the disk is free",
    "dry-run": "only tell what would be changed",
    "deadline": "how long the jobs are waited for: 90s, 30m, 1h 30m; as long as they take if not given",
    "on-deadline": "what is done then: wait (they are left to end) or kill",
    "resume": "have drained hosts take jobs again",
    "to": "the version: of a manager its image's tag, a digest (sha256:…), or a whole reference",
    "canary": "the host that is the first, and must pass; the first of them if not given",
    "keep-images": "leave the images on the host, and Docker with them",
    "yes": "do not ask",
    "write": "have the settings file say what the hosts run now",
    "follow": "go on with what comes, until Ctrl-C",
    "since": "how far back: 10m, 2h, or a date; the last 100 lines of each host if not given",
    "errors": "only warnings and errors",
    "into": "the folder, which is made where there is none",
    "watch": "look again every few seconds, until Ctrl-C",
    "pre": "the host is blank: only what bootstrap will need there",
    "pull": "look whether the bases have moved, and rebuild on them",
    "runner": "the runner, by its name in [runners]; all of a host's if not given",
    "id": "the runner's number at GitLab, where its token has ended and GitLab cannot tell",
    "note": "why, for those who see the runner at GitLab",
    "for": "how long: 30m, 2h, 1d; it ends by itself, also when this machine is off",
    "no-cache": "build without the builder's cache, even what is unchanged",
    "push": "push to this registry afterwards; REGISTRY_USER and REGISTRY_PASSWORD log in",
    "runner-image": "put this image, the real one above all, in the stand-in's place",
    "only": "one session of the noxfile: lint, types, unit, pythons, package, hosts, long, vm, bench, docs or lock",
    "source": "where it is built: qemu (on this machine), amazon-ebs or googlecompute",
    "variables": "a file of variables for that cloud, as packer/variables.pkr.hcl describes them",
    "at-once": "how many hosts are changed at a time",
    "wait": "wait for a host that another run holds, and say for whom",
    "only-failed": "only the hosts on which this failed last time with these settings",
    "stop-on-failure": "begin no further host once one has failed",
    "accept-new-host-keys": "accept and remember an SSH host key seen for the first time",
}
TEXTS = {
    ("audit", "since"): "how far back: 10m, 2h, or a date; all if not given",
    ("logs", "job"): "only lines about the job of this number",
    ("test", "image"): "the image; the newest if not given",
    ("make", "for"): "the hosts' systems, comma-separated: debian-12,rocky-9",
    ("make", "from"): "the host that pulls, builds and saves; this machine if not given",
    ("diff", "file"): "the file that is written",
    ("push", "from"): "the host whose Docker pushes; this machine if not given",
    ("verify", "key"): "the public key of ssh, or its file, that must have signed it",
    ("prune", "dry-run"): "only tell what would go",
    ("rotate", "write"): "put the new token into the file that the settings name as its source",
    ("probe", "write"): "have the settings file name the mirrors that serve all, the fastest first",
    ("host", "name"): "the host's name, for example ci1",
}  # where a word means another thing
PACE = {"at_once": "", "stop_on_failure": False, "wait": False}  # of what changes hosts
MOST = 100  # hosts at a time: each has a connection and a thread here


def text(task: str, option: str) -> str:
    """What `option` of a task does."""
    return TEXTS.get((task, option), HELP[option])


def pace(at_once: str, stop_on_failure: bool, wait: bool) -> "Pace":
    """What was typed, checked."""
    from runnerkit.fleet.run import Pace

    if not at_once:
        return Pace(stop_on_failure=stop_on_failure, wait=wait)
    if not (at_once.isascii() and at_once.isdigit() and 0 < int(at_once[:9]) <= MOST):
        raise KitError(f"--at-once {at_once}: no number of hosts", f"give one from 1 to {MOST}")
    return Pace(int(at_once), stop_on_failure, wait)
