"""Docker comes from nobody that somebody between could be."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import package_mirrors
from runnerkit.files.package_hints import INSTALL_HINTS
from runnerkit.plan import Script
from runnerkit.steps.docker_engine import KEYS
from runnerkit.templates import render
from tests.unit.build import blank, want

FEDORA = {"ID": "fedora", "VERSION_ID": "43", "PRETTY_NAME": "Fedora 43"}
SUM = {"script_sha256": "a" * 64}
OWN = "etc/apt/sources.list.d/docker.list"


def script(os: dict[str, str] | None = None, /, **docker: str) -> str:
    have = blank(os=os) if os else blank()
    for change in converge.plan(want(docker=docker), have):
        if isinstance(change, Script) and change.title.startswith("install Docker"):
            return change.text
    raise AssertionError


@pytest.mark.parametrize("url", ["http://m.example.com", "HTTP://m.example.com"])
@pytest.mark.parametrize(
    ("source", "os", "more"),
    [("docker-ce", FEDORA, {}), ("script", {}, SUM), ("docker-ce", FEDORA, {"package_key": "A" * 40} | SUM)],
)  # fmt: skip
def test_http_is_refused_where_the_lists_are_not_signed(
    url: str, source: str, os: dict[str, str], more: dict[str, str]
) -> None:
    if url.startswith("HTTP"):
        with pytest.raises(KitError, match="is not a URL"):
            script(os, source=source, package_mirror=url, **more)
        return
    with pytest.raises(KitError, match="by http anybody between"):
        script(os, source=source, package_mirror=url, **more)


def test_apt_takes_one_key_s_signature_whatever_else_the_mirror_s_key_file_holds() -> None:
    text = script(source="docker-ce", package_mirror="http://m.example.com")
    assert f"signed-by=$key,{KEYS['apt']}]" in text
    own = script(source="docker-ce", package_key="A" * 40)
    assert f"signed-by=$key,{'A' * 40}]" in own


def test_a_mirror_s_script_needs_a_checksum() -> None:
    with pytest.raises(KitError, match="nothing says what it should be") as caught:
        script(source="script", package_mirror="https://m.example.com")
    assert "script_sha256" in caught.value.fix
    assert f"{'a' * 64}  $script" in script(source="script", package_mirror="https://m", **SUM)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two keys, armoured, by their fingerprints."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]

    def run(*words: str) -> str:
        return subprocess.run([*gpg, *words], check=True, capture_output=True, text=True).stdout

    found = {}
    for name in ("docker@example.com", "mallory@example.com"):
        run("--quick-gen-key", name, "default", "default", "never")
        listed = run("--with-colons", "--list-keys", name).splitlines()
        (number, *_) = [one.split(":")[9] for one in listed if one.startswith("fpr:")]
        found[number] = run("--armor", "--export", name)
    return found


@pytest.mark.skipif(shutil.which("gpg") is None, reason="makes keys")
@pytest.mark.parametrize("served", ["known", "other", "both", "none"])
def test_dnf_takes_the_known_key_alone(
    tmp_path: Path, keys: dict[str, str], served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rendered script itself, with curl and dnf that only write down what they do."""
    known, other = keys
    text = {"known": keys[known], "other": keys[other], "both": keys[known] + keys[other]}
    (tmp_path / "gpg.asc").write_text(text.get(served, "<html>404</html>"))
    (tmp_path / "bin").mkdir()
    for name, body in {
        "dnf": f'echo "$@" >>{tmp_path}/installed',
        "curl": f'while [ "$1" != -o ]; do shift; done; cp {tmp_path}/gpg.asc "$2"',
    }.items():
        (program := tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    for folder in ("pki/rpm-gpg", "yum.repos.d"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    whole = script(FEDORA, source="docker-ce", package_key=known).partition("systemctl")[0]
    lines = whole.replace("/etc/", f"{tmp_path}/").splitlines()
    last = next(number for number, line in enumerate(lines) if line.startswith("rm -rf "))
    here = "\n".join(lines[: last + 1])
    ran = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=False)
    assert (ran.returncode == 0) == (served == "known"), ran.stderr
    assert (tmp_path / "installed").exists() == (served == "known")
    if served == "known":
        assert "gpgcheck=1\n" in (tmp_path / "yum.repos.d/docker-ce.repo").read_text()


CURL = """#!/bin/sh
exec 3>&1
out=/dev/stdout
while [ $# -gt 1 ]; do
  case $1 in -o) out=$2 && shift ;; -w | -r | --max-time | --connect-timeout) shift ;; esac
  shift
done
case $1 in
  *download.docker.com*) echo "curl: (28) Connection timed out" >&2; exit 28 ;;
  *tencent*Packages.gz) echo "curl: (22) The requested URL returned error: 404" >&2; exit 22 ;;
  *ustc*Packages.gz) { echo "$LIST"; head -c "$BOMB" /dev/zero; } | gzip ;;
  *Packages.gz) echo "$LIST" | gzip ;;
  *aliyun*) echo '<html>log in</html>' ;;
  *tuna*docker-ce_9) printf 80000.000 >&3; exit 28 ;;
  *ustc*docker-ce_9) printf 900000 >&3 ;;
  *) echo 'Origin: Docker' ;;
esac >"$out"
"""
LIST = "\n".join(
    f"Package: {name}\nVersion: 5:{version}-1\nFilename: pool/{name}_{version}\n"
    for name, version in (("docker-ce", 9), ("docker-ce-cli", 11), ("docker-ce", 8))
)


def chosen(folder: Path, take: str, bomb: int = 0) -> subprocess.CompletedProcess[str]:
    """What the choice among the known sites comes to, with `take` as what a shell does to take one."""
    (folder / "curl").write_text(CURL)
    (folder / "curl").chmod(0o755)
    for name in ("etc/apt/sources.list.d", "etc/apt/keyrings", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / OWN).write_text("the host's own\n")
    words = {"manager": "apt", "folder": "debian", "release": "bookworm", "key": "A" * 40}
    parts = [
        render(f"{name}.sh.j2", sites=package_mirrors.sites("auto"), notes="", **words)
        for name in ("docker-site", "choose-site")
    ]
    head, choice = (part.replace("/etc/", f"{folder}/etc/") for part in parts)
    take = f'take() {{ echo "deb $1" >$list; {take}; echo "took $1"; }}'
    return subprocess.run(
        ["sh"], timeout=60, input="\n".join(["set -eu; ulimit -v 200000", head, take, choice]), text=True, capture_output=True,
        check=False, env={"PATH": f"{folder}:/usr/bin:/bin", "TMPDIR": f"{folder}/tmp", "LIST": LIST, "BOMB": str(bomb)},
    )  # fmt: skip


def test_of_the_known_sites_the_fastest_that_has_the_packages_is_taken(tmp_path: Path) -> None:
    ran = chosen(tmp_path, ":")
    assert ran.returncode == 0, ran.stderr
    assert "note: Docker's packages come from https://mirrors.ustc.edu.cn/docker-ce\n" in ran.stdout
    assert "https://download.docker.com: curl: (28) Connection timed out\n" in ran.stdout
    assert "https://mirrors.ustc.edu.cn/docker-ce: 900 kB/s\n" in ran.stdout
    assert (
        "https://mirrors.tuna.tsinghua.edu.cn/docker-ce: 80 kB/s\n" in ran.stdout
    )  # not all in time
    assert (tmp_path / OWN).read_text() == "deb https://mirrors.ustc.edu.cn/docker-ce\n"
    assert not list(tmp_path.glob("tmp/*"))


def test_a_list_that_has_no_end_is_read_to_a_bound(tmp_path: Path) -> None:
    """A list of 130 MB in as many kB, to programs that get 200 MB."""
    ran = chosen(tmp_path, ":", 1 << 27)
    assert "https://mirrors.ustc.edu.cn/docker-ce: 900 kB/s\n" in ran.stdout


WRONG = "case $1 in *ustc*) echo 'E: GPG error: NO_PUBKEY' >&2; return 1 ;; esac"


def test_the_next_is_taken_where_the_fastest_is_signed_by_another(tmp_path: Path) -> None:
    ran = chosen(tmp_path, WRONG)
    assert "come from https://mirrors.tuna.tsinghua.edu.cn/docker-ce\n" in ran.stdout


def test_where_none_has_them_it_is_told_what_each_answered(tmp_path: Path) -> None:
    ran = chosen(tmp_path, "echo 'E: Failed to fetch it  404  Not Found' >&2; return 1")
    assert ran.returncode == 1
    line = ran.stderr.splitlines()[-1]
    assert line.startswith("none of the known mirrors gives the host Docker's packages for debian ")
    assert all(f"{site}: " in line for site in package_mirrors.SITES)
    assert "no index of Docker packages" in ran.stderr
    assert "https://mirrors.cloud.tencent.com/docker-ce: curl: (22)" in line
    assert "https://mirrors.ustc.edu.cn/docker-ce: Failed to fetch it" in line
    fix = next(one.fix for one in INSTALL_HINTS if re.search(one.pattern, ran.stderr))
    assert "package_mirror" in fix
    assert (tmp_path / OWN).read_text() == "the host's own\n"
    assert not list(tmp_path.glob("tmp/*"))


def test_what_is_the_host_s_own_fault_is_no_site_s(tmp_path: Path) -> None:
    ran = chosen(
        tmp_path, "echo 'E: Unable to correct problems: held broken packages' >&2; return 1"
    )
    assert ran.returncode == 1
    assert "none of the known mirrors" not in ran.stderr
    assert ran.stdout.count("took") == 0
    assert ran.stderr.count("held broken") == 1
    assert (tmp_path / OWN).read_text() == "the host's own\n"


def test_auto_is_for_docker_ce_alone() -> None:
    with pytest.raises(KitError, match='"auto" is for source = "docker-ce"'):
        script(source="distro", package_mirror="auto")
