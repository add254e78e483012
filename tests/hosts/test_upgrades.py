"""Engines that unattended-upgrades would replace: the program's own functions are the judge."""

import pytest

from runnerkit.checks.upgrades import MASK
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
apt-get install -qqy docker-ce >/dev/null
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
    if (any(uu.is_in_allowed_origin(each, allowed) for each in one.versions)
            and uu.is_pkg_change_allowed(one, black, white, False) and uu.is_pkgname_in_whitelist(name, white)):
        print(name)
