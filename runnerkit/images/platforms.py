"""What an image is built for, as containerd and BuildKit name it."""

KNOWN = (
    *("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386"),
    *("linux/ppc64le", "linux/s390x", "linux/riscv64"),
)
# Other names of architectures: containerd/platforms, database.go, and kernels' own.
_OTHERWISE = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i686": "386",
    "arm": "arm/v7",
    "armhf": "arm/v7",
    "armv7l": "arm/v7",
    "armel": "arm/v6",
    "armv6l": "arm/v6",
}


def of(architecture: str) -> str:
    """The platform of a host."""
    return f"linux/{_OTHERWISE.get(architecture, architecture)}"


def variables(platform: str) -> dict[str, str]:
    """The arguments that BuildKit sets by itself, for a build on the platform that it is for."""
    system, architecture, variant = _parts(platform)
    found: dict[str, str] = {}
    for side in ("BUILD", "TARGET"):
        found |= {
            f"{side}PLATFORM": "/".join(filter(None, (system, architecture, variant))),
            f"{side}OS": system,
            f"{side}OSVERSION": "",
            f"{side}ARCH": architecture,
            f"{side}VARIANT": variant,
        }
    return found


def _parts(platform: str) -> tuple[str, str, str]:
    """System, architecture and variant."""
    words = platform.lower().split("/")
    if len(words) == 1 and words[0] != "linux":
        words = ["linux", *words]
    if words[2:] == [] and words[1:]:
        words = [words[0], *_OTHERWISE.get(words[1], words[1]).split("/")]
    system, architecture, variant = (*words, "", "")[:3]
    plain = (architecture, variant) in (("arm64", "v8"), ("amd64", "v1"))
    return system, architecture, "" if plain else variant
