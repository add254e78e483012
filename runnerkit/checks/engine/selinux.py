"""Where Docker confines containers by SELinux, jobs reach what the settings mount from the host.

GitLab's docs, executors/docker.md and install/docker.md; Docker's, of ``docker run --security-opt``.
"""

from collections.abc import Iterable, Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

CONFINED = Kind(
    "selinux-volume",
    Level.NOTE,
    "SELinux on the host keeps {volumes} from the jobs of runner {runner}",
    "a folder that only jobs use takes :z at its end; for anything else, as Docker's socket, set "
    'docker.security_opt = ["label=disable"] of the runner',
)
KINDS = (CONFINED,)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """Mounts of the host that jobs cannot open."""
    for runner in want.runners if confines(have) else ():
        docker = runner.spec.docker
        bound = [one for one in docker.get("volumes", ()) if _confined(one)]
        if bound and not runner.elsewhere and not labelled(docker.get("security_opt")):
            yield CONFINED.found(volumes=", ".join(bound), runner=runner.key)


def confines(have: Facts) -> bool:
    """Whether the host's Docker runs containers under SELinux."""
    return any(
        str(one).startswith("name=selinux") for one in have.info.get("SecurityOptions") or ()
    )


def labelled(options: Iterable[str] | None) -> bool:
    """Whether a container's options choose a label themselves, or none."""
    return any(one.startswith(("label=", "label:")) for one in options or ())


def _confined(volume: str) -> bool:
    """Whether it is a path of the host, without a mode by which Docker labels it."""
    source, _, rest = volume.partition(":")
    modes = rest.partition(":")[2].lower().split(",")
    return source.startswith("/") and bool(rest) and "z" not in modes
