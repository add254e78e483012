"""What people have on their hosts and in their folders is taken as Docker and the runner take it."""

import json
import os
import shutil
from pathlib import Path

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit

INSPECT = "docker container inspect gitlab-runner"
# A docker that cannot make containers.
BROKEN = """printf '#!/bin/sh\\n[ "$1" != create ] || { echo "no such driver" >&2; exit 1; }\\nexec %s "$@"\\n' \
    "$(command -v docker)" >/usr/local/bin/docker && chmod +x /usr/local/bin/docker"""


def by_hand(kit: Kit, host: BlankHost, *options: str) -> None:
    """A manager and its runner, as somebody types them; GitLab's address in an old form."""
    image, url = kit.world.runner_image, kit.world.gitlab_url
    token = kit.new_token("byhand")
    kit.mirrored(host)
    kit.ssh(host, f"""set -e
        docker pull -q {image}
        docker pull -q debian:bookworm
        docker tag debian:bookworm nb-node
        docker run -d --name gitlab-runner --restart always {" ".join(options)} \\
            -v /srv/gitlab-runner/config:/etc/gitlab-runner:Z \\
            -v /var/run/docker.sock:/var/run/docker.sock {image}
        docker exec gitlab-runner gitlab-runner register --non-interactive --url {url}/ci/ \\
            --token {token} --name byhand --executor docker --docker-image nb-node
        """)  # fmt: skip


@pytest.mark.long
def test_names_and_addresses_are_those_that_docker_and_the_runner_mean(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "meant")
    by_hand(kit, host)
    kit.settings(host, runners={"web": {"image": "nb-node"}})
    kit.bootstrap()
    assert kit.plan().titles == []
    assert kit.ssh(host, f"grep -c '^\\[\\[runners' {CONFIG}").strip() == "1"
    assert f'"{kit.world.gitlab_url}/ci/"' in kit.ssh(host, f"cat {CONFIG}")

    kit.settings(host, runners={"web": {"image": "index.docker.io/library/debian:bookworm"}})
    kit.bootstrap()
    assert kit.plan().titles == []

    kit.settings(host, runners={"web": {"image": "nb-node2"}})
    assert "pull nb-node2" in kit.plan().titles
    refused = kit.run("bootstrap", "--host", "all")
    assert refused.code == 1
    assert "cannot pull nb-node2" in refused.err and "(did you mean 'ci-node'?)" in refused.err


@pytest.mark.long
def test_the_new_manager_is_made_before_the_old_one_goes(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "before")
    by_hand(
        kit,
        host,
        *("-v /opt:/opt:ro,z", "-e OWN=kept", "-e KEY=\"$(printf 'a\\nb')\""),
        *("--security-opt label=disable", "-p 127.0.0.1:9252:9252"),
    )
    kit.settings(host, runners={"web": {"image": "nb-node"}})
    kit.bootstrap()
    before = json.loads(kit.ssh(host, INSPECT))[0]

    kit.ssh(host, f"docker update --restart no gitlab-runner && {BROKEN}")
    kit.bootstrap(code=1)
    now = json.loads(kit.ssh(host, INSPECT))[0]
    assert now["Id"] == before["Id"]
    assert now["State"]["Running"] and now["State"]["StartedAt"] == before["State"]["StartedAt"]
    names = "docker ps -a --format '{{.Names}}' --filter name=gitlab-runner"
    assert kit.ssh(host, names).split() == ["gitlab-runner"]

    kit.ssh(host, "rm /usr/local/bin/docker")
    (title,) = kit.bootstrap().titles
    assert title.startswith("replace the container gitlab-runner (restart policy no")
    now = json.loads(kit.ssh(host, INSPECT))[0]
    assert now["Id"] != before["Id"]
    assert sorted(now["HostConfig"]["Binds"]) == sorted(before["HostConfig"]["Binds"])
    for key in ("PortBindings", "SecurityOpt"):
        assert now["HostConfig"][key] == before["HostConfig"][key]
    assert sorted(now["Config"]["Env"]) == sorted(before["Config"]["Env"])

    # Cut off before the new one got the name.
    kit.ssh(host, "docker stop gitlab-runner && docker rename gitlab-runner gitlab-runner.next")
    kit.bootstrap()
    assert json.loads(kit.ssh(host, INSPECT))[0]["Id"] == now["Id"]
    assert kit.plan().titles == []


@pytest.mark.long
def test_one_commit_is_one_image_on_a_laptop_and_in_a_pipeline(
    kit: Kit, blank: Blank, tmp_path: Path
) -> None:
    host = blank("docker", "commit")
    kit.mirrored(host)
    kit.settings(host)
    laptop, pipeline = tmp_path / "laptop", tmp_path / "pipeline"
    folder = laptop / "one"
    (folder / "deep").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM debian:bookworm\nCOPY . /here/\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / os.fsdecode(b"deep/caf\xe9")).write_text("latin")
    (folder / "link").symlink_to("run.sh")
    shutil.copytree(laptop, pipeline, symlinks=True)
    for path in (pipeline / "one").rglob("*"):  # GitLab's own checkout has no umask
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o222 if path.is_file() else 0o777))
            os.utime(path, (1, 1))

    kit.env["RUNNERKIT_DOCKERFILES"] = str(laptop)
    built = kit.run("image.build", "one", "--host", "all", "--json")
    assert built.code == 0, built.out + built.err
    show = "docker run --rm one sh -c 'cd /here; ls | LC_ALL=C cat -v; ls deep | od -c; stat -c %a run.sh deep deep/*'"
    expected = kit.ssh(host, show)
    assert "c   a   f 351" in expected
    assert expected.split()[-3:] == ["755", "755", "644"]
    kit.env["RUNNERKIT_DOCKERFILES"] = str(pipeline)
    again = kit.run("image.build", "one", "--host", "all", "--json")
    assert [one["state"] for row in again.hosts.values() for one in row["images"]] == ["unchanged"]

    kit.mirrored(host, features={"buildkit": False})
    classic = kit.run("image.build", "one", "--host", "all", "--json", "--no-cache")
    assert classic.code == 0, classic.out + classic.err
    assert kit.ssh(host, show) == expected
