"""Engines that unattended-upgrades would replace: the program's own functions are the judge."""

import pytest

from runnerkit.checks.engine.upgrades import MASK
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

INSTALL = """set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qqy --no-install-recommends unattended-upgrades >/dev/null
mkdir -p /opt/repo/docker-ce/DEBIAN && cd /opt/repo
printf '%s\\n' 'Package: docker-ce' 'Version: 5:99' 'Architecture: all' 'Maintainer: x <x@x>' 'Description: x' >docker-ce/DEBIAN/control
dpkg-deb -b docker-ce docker-ce.deb >/dev/null
{ cat docker-ce/DEBIAN/control; echo Filename: ./docker-ce.deb; echo Size: $(stat -c %s docker-ce.deb); echo SHA256: $(sha256sum docker-ce.deb | cut -d' ' -f1); } >Packages
printf '%s\\n' 'Origin: Docker' 'Label: Docker CE' 'Suite: bookworm' 'Codename: bookworm' 'SHA256:' " $(sha256sum Packages | cut -d' ' -f1) $(stat -c %s Packages) Packages" >Release
echo 'deb [trusted=yes] file:/opt/repo ./' >/etc/apt/sources.list.d/docker.list
apt-get update -qq
printf '%s\\n' 'Package: docker-ce' 'Status: install ok installed' 'Version: 5:98' 'Architecture: all' 'Maintainer: x <x@x>' 'Description: x' '' >>/var/lib/dpkg/status
systemctl unmask -q apt-daily-upgrade.timer
"""
JUDGE = """python3 - <<'E'
from importlib import machinery, util
import apt, apt_pkg
loader = machinery.SourceFileLoader("uu", "/usr/bin/unattended-upgrade")
uu = util.module_from_spec(util.spec_from_loader("uu", loader))
loader.exec_module(uu)
black, white = (apt_pkg.config.value_list(f"Unattended-Upgrade::Package-{k}list") for k in ("Black", "White"))
allowed = uu.get_allowed_origins()
for name in ("docker-ce", "docker.io"):
    one = apt.Cache()[name]
    sources = [each for version in one.versions for each in version.origins if each.archive != "now"]
    if (any(uu.is_allowed_origin(each, allowed) for each in sources)
            and uu.is_pkg_change_allowed(one, black, white, False) and uu.is_pkgname_in_whitelist(name, white)):
        print(name)
E
"""
PATTERN = "Unattended-Upgrade::Origins-Pattern"
BLACK = "Unattended-Upgrade::Package-Blacklist"
CASES = {
    "": {"docker.io"},
    f'{PATTERN} {{ "origin=Docker,codename=${{distro_codename}}"; }};': {"docker-ce", "docker.io"},
    f'#clear {PATTERN}; {PATTERN} {{ "o=Docker,l=Docker*"; }};': {"docker-ce"},
    f'#clear {PATTERN}; {PATTERN} {{ "o=Debian,n=trixie"; "o=Debian,l=Ubuntu"; }};': set(),
    f'#clear {PATTERN}; {PATTERN} {{ "o=Debian,a=oldstable"; "o=Debian,a=stable"; }};': {
        "docker.io"
    },
    f'#clear {PATTERN}; Unattended-Upgrade::Allowed-Origins {{ "Docker:bookworm"; }};': {
        "docker-ce"
    },
    f'{BLACK} {{ "docker\\.io$"; }};': set(),
    f'{BLACK} {{ "docker$"; "linux-"; }};': {"docker.io"},
    f'{PATTERN} {{ "o=Docker"; }}; {BLACK} {{ "docker-"; }};': {"docker.io"},
    'Unattended-Upgrade::Package-Whitelist { "linux-"; };': set(),
}


@pytest.mark.long
def test_what_unattended_upgrades_replaces_is_noted_as_the_program_itself_says(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "upgrades1")
    kit.settings(host)
    kit.new_token()
    kit.ssh(host, INSTALL)

    def noted() -> set[str]:
        return {one["what"].split()[5] for one in kit.plan().found("engine-unattended")}

    for config, wanted in CASES.items():
        kit.ssh(host, f"cat >/etc/apt/apt.conf.d/99case <<'E'\n{config}\nE")
        assert noted() == {*kit.ssh(host, JUDGE).split()} == wanted, config
    kit.ssh(host, "rm /etc/apt/apt.conf.d/99case")
    (fix,) = {one["fix"] for one in kit.plan().found("engine-unattended")}
    assert "apt-mark hold docker.io" in fix
    for turn, back in (
        ("apt-mark hold docker.io", "apt-mark unhold docker.io"),
        ("systemctl mask apt-daily-upgrade.timer", f"rm {MASK}"),
        ("systemctl disable apt-daily-upgrade.timer", "systemctl enable apt-daily-upgrade.timer"),
        (
            "echo 'APT::Periodic::Enable \"0\";' >/etc/apt/apt.conf.d/99x",
            "rm /etc/apt/apt.conf.d/99x",
        ),
    ):
        assert noted() == {"docker.io"}, turn
        kit.ssh(host, turn)
        assert noted() == set(), turn
        kit.ssh(host, back)
