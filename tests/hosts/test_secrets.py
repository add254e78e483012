"""Tokens and passwords are nowhere that others can look, while the kit runs and after.

Hosts of the sandbox are containers: this machine's /proc shows their processes too.
"""

import contextlib
import os
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit, Ran

PASSWORD = "Cn7wQz2RkXb9sudo"
WRONG = "glrt-t1_9fXwrongQm3Lk8Zp2VbTy"
PLACES = """umask 077
patterns=$(mktemp)
trap 'rm -f "$patterns"' EXIT
cat >"$patterns" <<'END'
PATTERNS
END
leak() { if grep -aFf "$patterns" >/dev/null; then echo "$1"; fi; }
docker inspect $(docker ps -aq) | leak 'docker inspect'
for image in $(docker images -q); do
  docker image inspect "$image"
  docker history --no-trunc "$image"
done | leak 'an image'
journalctl --no-pager -a -o verbose | leak journal
grep -raqFf "$patterns" /var/log && echo /var/log
find / /var/lib/docker /var/lib/containerd /run /dev/shm -xdev -type f -perm /077 -size -4M \
  -print0 2>/dev/null | xargs -0 grep -laFf "$patterns" 2>/dev/null
true
"""

# A command that goes on after ssh, and is there when that ends.
LASTS = "{} >/dev/null 2>&1 &\nuntil pgrep -fx 'sleep {}' >/dev/null; do :; done"


class Watch(threading.Thread):
    """Everybody's command lines, and the environments of all but root and ourselves."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.rounds = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    self.seen.add((process / "cmdline").read_bytes())
                    if process.stat().st_uid not in (0, os.getuid()):
                        self.seen.add((process / "environ").read_bytes())
            self.rounds += 1

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def whole_round(self) -> None:
        """Wait until everybody has been looked at who is there now."""
        first = self.rounds
        while self.rounds < first + 2:
            time.sleep(0.01)

    def saw(self, patterns: list[str]) -> list[bytes]:
        words = [pattern.encode() for pattern in patterns]
        return [each for each in self.seen if any(word in each for word in words)]


def forms(*secrets: str) -> list[str]:
    """What to look for: the part that no other token shares, as it is and as base64 has it."""
    found = []
    for secret in secrets:
        own = secret[-16:].encode()
        assert len(own) == 16
        found.append(own.decode())
        encoded = [b64encode(b"." * shift + own).decode() for shift in range(3)]
        found += [encoded[0][:16], encoded[1][4:20], encoded[2][4:20]]  # by what stands before it
    return found


def places(kit: Kit, host: BlankHost, patterns: list[str]) -> list[str]:
    """Where on the host others could find one of them."""
    return kit.ssh(host, PLACES.replace("PATTERNS", "\n".join(patterns))).splitlines()


def matching(ran: Ran, patterns: list[str]) -> list[str]:
    return [pattern for pattern in patterns if pattern in ran.out + ran.err]


def prepared(kit: Kit, host: BlankHost) -> None:
    """carol gets a password worth looking for."""
    kit.ssh(host, f"echo 'carol:{PASSWORD}' | chpasswd")
    kit.env["CAROLS"] = PASSWORD


def settings(kit: Kit, host: BlankHost, api: bool) -> None:
    image = {"image": "tester"}
    runners = {"old": {**image, "registration_token": {"env": "REGISTRATION_TOKEN"}}}
    kit.settings(
        host,
        user="carol",
        gitlab={"api_token": {"env": "GITLAB_TOKEN"}} if api else {},
        runners={**runners, **({"made": image} if api else {})},
        hosts={host.name: {"sudo_password": {"env": "CAROLS"}}},
    )


def test_no_secret_is_where_others_can_look(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "sentinel")
    prepared(kit, host)
    kit.env["REGISTRATION_TOKEN"] = kit.world.registration_token
    known = [kit.new_token("sentinel"), kit.world.registration_token, kit.world.api_token, PASSWORD]
    runs = []
    with Watch() as watch:
        settings(kit, host, api=False)
        runs += [kit.run("plan", "--host", "all"), kit.bootstrap()]
        kit.env["GITLAB_TOKEN"] = kit.world.api_token
        settings(kit, host, api=True)
        runs += [kit.run("bootstrap", "--host", "all")]
        # A change beside the tokens: its diff shows their lines.
        kit.ssh(
            host, f"sed -i 's/^concurrent = .*/concurrent = 9/; s/if-not-present/always/' {CONFIG}"
        )
        runs += [kit.run("plan", "--host", "all"), kit.plan(), kit.bootstrap()]
        runs += list(failing(kit, host))
    config = kit.ssh(host, f"cat {CONFIG}")
    minted = [line.split('"')[1] for line in config.splitlines() if "  token =" in line]
    assert len(minted) == 3
    patterns = forms(*known, *minted, WRONG)
    assert watch.rounds > 50
    assert watch.saw(patterns) == []
    assert [matching(ran, patterns) for ran in runs] == [[]] * len(runs)
    assert "+++" in runs[3].out  # there was a diff to hide them in
    assert places(kit, host, patterns) == []
    for path in (CONFIG, f"{CONFIG}.previous"):
        assert kit.ssh(host, f"stat -c '%a %U' {path}") == "600 root\n"


def failing(kit: Kit, host: BlankHost) -> Iterator[Ran]:
    """Runs that fail, each with a token in its hands."""
    kit.ssh(host, f"cp -p {CONFIG} /root/kept && sed -i '/^\\[\\[runners/,$d' {CONFIG}")
    right, kit.env["RUNNER_TOKEN"] = kit.env["RUNNER_TOKEN"], WRONG
    yield kit.bootstrap(code=1)
    kit.env["RUNNER_TOKEN"] = right
    kit.env["GITLAB_TOKEN"] = kit.world.expired_token
    yield kit.run("bootstrap", "--host", "all")
    settings(kit, host, api=False)
    kit.gitlab.call("POST", "/sandbox/switches", registration_tokens=False)
    yield kit.run("bootstrap", "--host", "all")
    kit.gitlab.call("POST", "/sandbox/switches", registration_tokens=True)
    kit.env["CAROLS"] = "Xz8NotHerPassword"
    yield kit.bootstrap(code=1)
    kit.ssh(host, f"mv /root/kept {CONFIG}")


def test_the_search_finds_what_is_planted(kit: Kit, blank: Blank) -> None:
    host, planted = blank("docker", "planted"), "glrt-t1_Planted0Sentinel9Token"
    patterns = forms(planted)
    assert places(kit, host, patterns) == []
    with Watch() as watch:
        kit.ssh(host, LASTS.format(f"timeout 99 sh -c 'sleep 98; :' {planted}", 98))
        kit.ssh(host, LASTS.format(f"T={planted} timeout 99 sleep 97", 97), user="ops")
        watch.whole_round()
    assert {each.split(b"\0")[0] for each in watch.saw(patterns)} >= {b"timeout", b"sh"}
    assert any(b"T=glrt-" in each for each in watch.saw(patterns))
    kit.ssh(host, f"""set -e
        logger {planted}
        echo {planted} >/var/log/mine.log
        echo 'token = {planted}' | base64 >/var/tmp/open
        echo {planted} >/var/tmp/closed && chmod 600 /var/tmp/closed
        tar c -C /etc hostname | docker import -c 'ENV T={planted}' - small >/dev/null
        docker create --name planted small true >/dev/null
        journalctl --sync""")  # fmt: skip
    found = places(kit, host, patterns)
    assert found[:4] == ["docker inspect", "an image", "journal", "/var/log"]
    assert {"/var/log/mine.log", "/var/tmp/open"} <= set(found)
    assert "/var/tmp/closed" not in found
