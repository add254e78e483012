"""A system, as bundles name it: a distribution and what of its version its packages are for."""

from collections.abc import Mapping

from runnerkit.facts import distributions


def of(os: Mapping[str, str]) -> str:
    """For example debian-12, by the os-release; rocky-9 for each minor version, as Docker's site has it."""
    row = distributions.of(os)
    minors = row.manager != "dnf" or not row.folder
    version = os.get("VERSION_ID") if minors else distributions.major(os)
    return f"{os.get('ID', '').lower() or 'unknown'}-{version or 'unknown'}"


def image(system: str) -> str:
    """The container image of a system."""
    known, _, version = system.partition("-")
    row = distributions.of({"ID": known, "VERSION_ID": version})
    return (row.image or f"{known}:{{}}").format(version)
