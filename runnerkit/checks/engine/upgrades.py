"""An engine that the host's own unattended upgrades would replace while jobs run.

Debian's unattended-upgrade(8), apt.systemd.daily; dnf-automatic(8).
"""

import re
from collections.abc import Iterator
from configparser import ConfigParser, Error
from fnmatch import fnmatchcase
from string import Template

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

REPLACED = Kind(
    "engine-unattended",
    Level.NOTE,
    "{program} on the host replaces {package} as soon as there is a newer one, and ends the jobs that "
    "run then",
    "on the host: {hold}; and upgrade it by hand when no job runs",
)
KINDS = (REPLACED,)

TIMER = "apt-daily-upgrade.timer"
UNITS, CRON = "/etc/systemd/system", "/etc/cron.daily/apt-compat"
ENABLED, MASK = f"{UNITS}/timers.target.wants/{TIMER}", f"{UNITS}/{TIMER}"
AUTOMATIC, DNF = "/etc/dnf/automatic.conf", "/etc/dnf/dnf.conf"
LOCKS = {  # of dnf 4 and 5: how a package stands there
    "/etc/dnf/plugins/versionlock.list": r"^[^#!\n]*\b{}-",
    "/etc/dnf/versionlock.toml": r"^\s*name\s*=\s*.{}[\"']",
}
DOCKER_REPO = "/etc/yum.repos.d/docker-ce.repo"
TIMERS = {  # whether it applies updates whatever automatic.conf says
    f"{UNITS}/timers.target.wants/dnf-automatic.timer": False,
    f"{UNITS}/timers.target.wants/dnf5-automatic.timer": False,
    f"{UNITS}/timers.target.wants/dnf-automatic-install.timer": True,
}
YES = ("yes", "true", "1", "on")
KEYS = {
    "o": "origin",
    "l": "label",
    "a": "archive",
    "suite": "archive",
    "c": "component",
    "n": "codename",
}


def needs(want: Want) -> Needs:
    paths = (ENABLED, MASK, CRON, DOCKER_REPO, *TIMERS)
    return Needs(files=(MASK, AUTOMATIC, DNF, *LOCKS), paths=paths)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What would be replaced; nothing where that is held back."""
    for package in _by_apt(have):
        hold = f"apt-mark hold {package}"
        yield REPLACED.found(program="unattended-upgrades", package=package, hold=hold)
    if package := _by_dnf(have):
        hold = f"add {package}* to excludepkgs in the section [base] of {AUTOMATIC}"
        yield REPLACED.found(program="dnf-automatic", package=package, hold=hold)


def _by_apt(have: Facts) -> Iterator[str]:
    settings: dict[str, list[str]] = {}
    for key, value in re.findall(
        r'^([\w:-]+?)(?:::)? "(.*)";$', "\n".join(have.upgrades), re.MULTILINE
    ):
        settings.setdefault(key.lower(), []).append(value)

    def last(key: str, otherwise: str) -> str:
        return settings.get(key.lower(), [otherwise])[-1]

    def listed(key: str) -> list[str]:
        return [value for value in settings.get(f"unattended-upgrade::{key}", []) if value]

    masked = MASK in have.paths and MASK not in have.files  # a link to /dev/null
    runs = ENABLED in have.paths and not masked if have.systemd else CRON in have.paths
    wanted = last("APT::Periodic::Unattended-Upgrade", "0") not in ("", "0")
    if not runs or not wanted or last("APT::Periodic::Enable", "1") == "0":
        return
    patterns = [*map(_pattern, listed("allowed-origins")), *listed("origins-pattern")]
    only = listed("package-whitelist")
    for package, state in re.findall(
        r"^package (\S+) (\S+)$", "\n".join(have.upgrades), re.MULTILINE
    ):
        kept = state == "hold" or _named(package, listed("package-blacklist"))
        allowed = not only or _named(package, only)
        if not kept and allowed and any(_covers(one, package, have) for one in patterns):
            yield package


def _pattern(origin: str) -> str:
    """An entry of Allowed-Origins in the newer form."""
    origin, _, archive = origin.partition(":") if ":" in origin else origin.partition(" ")
    return f"o={origin},a={archive.strip()}"


def _covers(pattern: str, package: str, have: Facts) -> bool:
    """Whether a pattern is of a source that the package comes from."""
    names = {"distro_id": _distribution(have), "distro_codename": _codename(have)}
    tokens = [token.strip().partition("=") for token in pattern.split(",")]
    return any(
        all(
            fnmatchcase(source[key], Template(value.strip()).safe_substitute(names))
            for name, _, value in tokens
            if (key := KEYS.get(name.strip(), name.strip())) in source
        )
        for source in _sources(package, have)
    )


def _sources(package: str, have: Facts) -> Iterator[dict[str, str]]:
    """What the Release files of where it comes from say; what differs between mirrors is left out."""
    release = _codename(have)
    if package.startswith("docker-ce"):
        here = {"site": "download.docker.com", "component": "stable", "label": "Docker CE"}
        yield {**here, "origin": "Docker", "archive": release, "codename": release}
        return
    origin = _distribution(have)
    for more in ("", "-security", "-updates"):
        if origin == "Ubuntu":
            archives, codename, label = [f"{release}{more}"], release, origin
        else:
            archives = [f"{name}{more}" for name in ("stable", "oldstable", "oldoldstable")]
            codename, label = f"{release}{more}", origin + "-Security" * (more == "-security")
        for archive in archives:
            yield {"origin": origin, "label": label, "archive": archive, "codename": codename}


def _distribution(have: Facts) -> str:
    like = {have.os.get("ID", ""), *have.os.get("ID_LIKE", "").split()}
    return next((name.capitalize() for name in ("ubuntu", "debian") if name in like), "")


def _codename(have: Facts) -> str:
    return have.os.get("UBUNTU_CODENAME") or have.os.get("VERSION_CODENAME", "")


def _named(package: str, patterns: list[str]) -> bool:
    """Whether one of the host's regular expressions fits, of those that cannot take for ever."""
    simple = re.compile(r"\^?(?:[\w.-]|\\[.+-])*(?:\.\*)?\$?")
    return any(re.match(one, package) for one in patterns if simple.fullmatch(one))


def _by_dnf(have: Facts) -> str:
    """The package that dnf-automatic would replace; "" for none."""
    timers = [always for path, always in TIMERS.items() if path in have.paths]
    conf = _read(have, AUTOMATIC)
    apply = conf.get("commands", "apply_updates", fallback="no").lower() in YES
    if not have.dockerd or not timers or not (apply or any(timers)):
        return ""
    package = "docker-ce" if DOCKER_REPO in have.paths else "moby-engine"
    if have.os.get("ID") == "amzn":
        package = "docker"
    # Docker's repository says of no update that it mends security.
    security = conf.get("commands", "upgrade_type", fallback="default").lower() == "security"
    if security and package == "docker-ce":
        return ""
    words = [*_excluded(have, DNF, "main"), *_excluded(have, AUTOMATIC, "base")]
    held = any(fnmatchcase(package, word) for word in words)
    held |= any(
        re.search(pattern.format(package), have.files[path].text, re.MULTILINE)
        for path, pattern in LOCKS.items()
        if path in have.files
    )
    return "" if held else package


def _excluded(have: Facts, path: str, section: str) -> list[str]:
    conf = _read(have, path)
    keys = ("exclude", "excludepkgs")
    return re.findall(r"[^\s,]+", " ".join(conf.get(section, key, fallback="") for key in keys))


def _read(have: Facts, path: str) -> ConfigParser:
    conf = ConfigParser(interpolation=None, strict=False)
    try:
        conf.read_string(have.files[path].text if path in have.files else "")
    except Error:
        return ConfigParser()
    return conf
