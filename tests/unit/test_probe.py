"""What a host prints in answer to doctor, read."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runnerkit.facts.probe import Probe, parse


def coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_what_a_host_prints_is_read() -> None:
    found = parse(f"""getent /usr/bin/getent
nameservers 10.0.0.1 10.0.0.2
name gitlab.example.com 10.0.0.9 fd00::9
name gone.example.com
container gitlab-runner gitlab/gitlab-runner:v19.3.0
bridge_mtu 1500
route_mtu 1450
log_bytes 7
apparmor_parser none
proxy export https_proxy=http://proxy:3128
source http://deb.debian.org
certificate /etc/docker/certs.d/m:5000/ca.crt {coded("PEM")}
lint 1 {coded("ERROR: unknown key: x")}
""")
    assert found == Probe(
        names={"gitlab.example.com": ("10.0.0.9", "fd00::9"), "gone.example.com": ()},
        nameservers=("10.0.0.1", "10.0.0.2"),
        containers={"gitlab-runner": "gitlab/gitlab-runner:v19.3.0"},
        lint="ERROR: unknown key: x",
        log_bytes=7,
        bridge_mtu=1500,
        route_mtu=1450,
        apparmor_parser=False,
        proxies=("export https_proxy=http://proxy:3128",),
        sources=("http://deb.debian.org",),
        certificates={"/etc/docker/certs.d/m:5000/ca.crt": "PEM"},
    )


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("0", "Configuration file is valid."),
        ("1", "FATAL: Command lint not found."),
        ("1", "Error response from daemon: container x is not running"),
        ("124", "cut off"),
    ],
)
def test_what_is_no_word_of_lint_is_no_fault(code: str, output: str) -> None:
    assert parse(f"lint {code} {coded(output)}").lint == ""


@given(some.text(alphabet="nameprobcti \n01=/", max_size=80))
def test_anything_else_is_read_as_well(text: str) -> None:
    parse(text)
