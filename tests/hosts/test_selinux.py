"""A host whose Docker says that it confines containers by SELinux.

A stand-in says so: these machines have no SELinux. What is shown is what Docker is told.
"""

import json

import pytest

from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

SAYS_SO = r"""cat >/usr/local/bin/docker <<'END'
#!/bin/sh
case $1 in
info) /usr/bin/docker "$@" | sed 's/"SecurityOptions":\[/&"name=selinux",/' ;;
*) exec /usr/bin/docker "$@" ;;
esac
END
chmod 755 /usr/local/bin/docker"""
SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
OPTIONS = "docker inspect -f '{{json .HostConfig.SecurityOpt}}' gitlab-runner"
BARE = """docker rm -f gitlab-runner
docker run -d --name gitlab-runner --restart always -v /srv/gitlab-runner/config:/etc/gitlab-runner \
  -v /var/run/docker.sock:/var/run/docker.sock """


@pytest.mark.long
def test_the_manager_is_not_confined_and_jobs_mounts_are_noted(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.ssh(host, SAYS_SO)
    kit.settings(host, runners={"web": {"docker": {"volumes": ["/cache", SOCKET]}}})
    kit.new_token()
    ran = kit.bootstrap()
    assert "label=disable" in json.loads(kit.ssh(host, OPTIONS))
    (note,) = ran.found("selinux-volume")
    assert SOCKET in note["what"]
    assert kit.plan().titles == []

    kit.ssh(host, BARE + kit.world.runner_image)
    (title,) = kit.plan().titles
    assert "SELinux keeps Docker's socket from it" in title
    kit.bootstrap()
    assert "label=disable" in json.loads(kit.ssh(host, OPTIONS))
