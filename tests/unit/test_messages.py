"""What logs say is recognized: whole ones, as runners and people hand them on."""

import pytest

from runnerkit.checks.finding import Kind
from runnerkit.checks.jobs import messages
from runnerkit.checks.jobs.messages import LETTERS, recognized
from tests.unit.growth import linear

DENIED = (
    "Error response from daemon: pull access denied for acme/app, repository does not exist or may "
    "require 'docker login': denied: requested access to the resource is denied (manager.go:237:0s)"
)
HUB = "https://registry-1.docker.io/v2/library/node/manifests/20"
PULL = f"""Running with gitlab-runner 16.3.0~beta.108.g2b6048b4 (2b6048b4)
  on green-3.example.com/default Jhc_Jxvh, system ID: s_0e6850b2bce1
  feature flags: FF_USE_IMPROVED_URL_MASKING:true, FF_RESOLVE_FULL_TLS_CHAIN:false
section_start:1696844042:prepare_executor\r\x1b[0K\x1b[0K\x1b[36;1mPreparing the "docker+machine" executor\x1b[0;m
Using Docker executor with image acme/app:7 ...
Pulling docker image acme/app:7 ...
\x1b[0;33mWARNING: Failed to pull image with policy "always": {DENIED}\x1b[0;m
section_end:1696844047:prepare_executor\r\x1b[0K\x1b[31;1mERROR: Job failed: failed to pull image "acme/app:7" with specified policies [always]: {DENIED}
\x1b[0;m
"""
STAMPED = """2026-11-20T07:01:02.123456Z 00O Running with gitlab-runner 19.3.0 (12030cf4)
2026-11-20T07:01:02.123456Z 00O   on ci1 t3_nqDp5B, system ID: s_c2d2eb1f9b8a
2026-11-20T07:01:02.123456Z 00O section_start:1763622062:get_sources\r\x1b[0K\x1b[0K\x1b[36;1mGetting source from Git repository\x1b[0;m
2026-11-20T07:01:03.223456Z 01O Fetching changes with git depth set to 20...
2026-11-20T07:01:03.223456Z 01E fatal: unable to access 'https://gitlab.exam
2026-11-20T07:01:03.323456Z 01E+ple.com/g/p.git/': Could not resolve ho
2026-11-20T07:01:03.323456Z 01E+st: gitlab.example.com
2026-11-20T07:01:04.023456Z 00E \x1b[31;1mERROR: Job failed: exit code 1\x1b[0;m
"""
PROGRESS = (
    "Receiving objects:   1% (12/1131)\rReceiving objects:   9% (99/1131)\r"
    "fatal: the remote end hung up unexpectedly\nfatal: early EOF\nfatal: index-pack failed\n"
    "ERROR: Job failed: exit code 1\n"
)
DIND = """$ docker build -t app .
ERROR: error during connect: Head "http://docker:2375/_ping": dial tcp: lookup docker on 10.0.0.2:53: no such host
Cleaning up project directory and file based variables
ERROR: Job failed: exit code 1
"""
SERVICE = """Waiting for services to be up and running (timeout 30 seconds)...
*** WARNING: Service runner-5530-project-756-concurrent-1-docker-0 probably didn't start properly.
Health check error:
service "runner-5530-project-756-concurrent-1-docker-0-wait-for-service" timeout
Service container logs:
2020-01-22T10:10:00.1Z mount: permission denied (are you root?)
2020-01-22T10:10:00.1Z Could not mount /sys/kernel/security.
"""
MANAGER = (
    'time="2025-11-12T07:38:45Z" level=error msg="Preparation failed: Error response from daemon: client '
    "version 1.42 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer "
    'version (docker.go:779:0s)" job=12 project=3 runner=t3_nqDp5B'
)


@pytest.mark.parametrize(
    ("log", "codes"),
    [
        (PULL, ["log-pull-denied"]),
        (STAMPED, ["log-name-not-found"]),
        (PROGRESS, ["log-git-hung-up"]),
        (DIND, ["log-dind-not-reached"]),
        (SERVICE, ["log-dind-unprivileged", "log-service-not-ready"]),
        (MANAGER, ["log-docker-client-too-old"]),
    ],
)
def test_a_whole_log_tells_what_is_its_cause(log: str, codes: list[str]) -> None:
    assert [one.finding.code for one in recognized(log)] == codes


def test_the_line_that_tells_it_is_shown_as_people_read_it() -> None:
    (found,) = recognized(STAMPED)
    assert found.line == (
        "fatal: unable to access 'https://gitlab.example.com/g/p.git/': Could not resolve host: gitlab.example.com"
    )


SAYINGS = {
    "log-registry-unreachable": 'WARNING: Failed to pull image with policy "always": Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp 1.2.3.4:443: i/o timeout (manager.go:251:15s)',
    "log-git-lock": "fatal: Unable to create '/builds/g/p/.git/index.lock': File exists.",
    "log-git-lfs": "fatal: data/model.bin: smudge filter lfs failed",
    "log-login-without-password": "Error: Cannot perform an interactive login from a non TTY device",
    "log-volume-permissions": 'ERROR: Job failed: adding cache volume: set volume permissions: running permission container "35e3042f" for volume "runner-x-cache-3c3f": waiting for permission container to finish: exit code 127',
    "log-ssh-key-broken": 'Load key "/root/.ssh/id_rsa": error in libcrypto',
    "log-job-stuck": "This job is stuck because the project doesn't have any runners online assigned to it. Go to Runners page",
    "log-job-stuck-tags": "This job is stuck because you don't have any active runners online or available with any of these tags assigned to them: gpu",
    "log-runner-forbidden": "WARNING: Checking for jobs... forbidden   runner=t3_nqDp5B status=POST https://gitlab.example.com/api/v4/jobs/request: 403 Forbidden",
    "log-registration-disallowed": "ERROR: Registering runner... failed  runner=GR1348941 status=410 Gone",
    "log-registration-options": "FATAL: Runner configuration other than name and executor configuration is reserved (specifically --locked, --access-level",
    "log-no-image-named": "ERROR: Job failed (system failure): no Docker image specified to run the build in",
    "log-pull-rate-limited": f"ERROR: Job failed: failed to pull image: Error response from daemon: Get {HUB}: toomanyrequests: You have reached your pull rate limit.",
    "log-pull-policy-disallowed": 'ERROR: Job failed (system failure): invalid pull policy for image "x": pull_policy ([always]) defined in GitLab pipeline config is not one of the allowed_pull_policies ([never])',
    "log-image-disallowed": 'The "node:20" image is not present on list of allowed images:',
    "log-pull-refused-by-mirror": "Error response from daemon: denied: this image is not in the allowlist, see https://example.com",
    "log-helper-not-pulled": 'ERROR: Job failed: failed to pull image "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v17.5.5" with specified policies [always]: Error response from daemon: Get "https://registry.gitlab.com/v2/": net/http: request canceled while waiting for connection (manager.go:251:15s)',
    "log-image-not-there": 'WARNING: Failed to pull image with policy "never": Error response from daemon: No such image: web:latest (manager.go:272:0s)',
    "log-pull-denied": "denied: requested access to the resource is denied",
    "log-image-wrong-architecture": "exec /usr/bin/sh: exec format error",
    "log-image-unknown-tag": "Error response from daemon: manifest for node:99 not found: manifest unknown: manifest unknown",
    "log-image-format-too-old": "Error response from daemon: [DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is disabled by default and will be removed",
    "log-registry-speaks-http": 'Error response from daemon: Get "https://10.0.0.5:5000/v2/": http: server gave HTTP response to HTTPS client',
    "log-registry-certificate": 'Error response from daemon: Get "https://registry.example.com/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    "log-registry-fails": "Error response from daemon: received unexpected HTTP status: 502 Bad Gateway",
    "log-docker-socket-denied": "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get",
    "log-dind-unprivileged": "iptables v1.8.4 (legacy): can't initialize iptables table `nat': Permission denied (you must be root)",
    "log-dind-not-reached": "Cannot connect to the Docker daemon at tcp://docker:2375. Is the docker daemon running?",
    "log-docker-not-reached": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "log-docker-client-too-old": "Error response from daemon: client version 1.24 is too old. Minimum supported API version is 1.44",
    "log-docker-client-too-new": "API version 1.39 is not supported by this client: the minimum supported API version is 1.40",
    "log-image-no-shell": 'Error response from daemon: failed to create task for container: OCI runtime create failed: exec: "sh": executable file not found in $PATH: unknown (exec.go:78:0s)',
    "log-network-pool-exhausted": "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "log-iptables-flushed": "driver failed programming external connectivity: (iptables failed: iptables --wait -t nat -A DOCKER: iptables: No chain/target/match by that name.",
    "log-cgroup-missing": "cgroups: cannot find cgroup mount destination: unknown",
    "log-engine-too-old-for-image": "thread-list-lock: pthread_create failed: Operation not permitted",
    "log-volume-wrong": "Error response from daemon: invalid volume specification: 'a:b:c:d'",
    "log-user-disallowed": 'ERROR: Job failed (system failure): user "root" is not an allowed user: [node]',
    "log-container-gone": "ERROR: Job failed (system failure): Error response from daemon: No such container: 1cfc32f626eb39 (executor_docker.go:932:1s)",
    "log-service-not-ready": "*** WARNING: Service runner-5-postgres-0 probably didn't start properly.",
    "log-vm-max-map-count": "[1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]",
    "log-container-not-started": "failed to create shim task: OCI runtime create failed: runc create failed: unable to apply apparmor profile",
    "log-git-dubious-ownership": "fatal: detected dubious ownership in repository at '/builds/g/p'",
    "log-git-files-of-another-user": "warning: failed to remove build/app/intermediates/values-ar.json: Permission denied",
    "log-git-refused": "remote: HTTP Basic: Access denied. The provided password or token is incorrect",
    "log-git-not-found": "remote: The project you were looking for could not be found or you don't have permission to view it.",
    "log-git-no-such-commit": "fatal: reference is not a tree: 9f1e41e0aa",
    "log-upload-too-large": "ERROR: Uploading artifacts as \"archive\" to coordinator... 413 Request Entity Too Large  id=12",
    "log-artifacts-not-uploaded": "WARNING: Uploading artifacts as \"archive\" to coordinator... 403 Forbidden  id=12 responseStatus=403",
    "log-artifacts-missing": "WARNING: dist/: no matching files. Ensure that the artifact path is relative to the working directory",
    "log-cache-not-set-up": "No URL provided, cache will not be downloaded from shared cache server. Instead a local version",
    "log-git-hung-up": "error: RPC failed; curl 56 GnuTLS recv error (-54): Error in the pull function.",
    "log-job-timeout": "ERROR: Job failed: execution took longer than 1h0m0s seconds",
    "log-output-limit": "Job's log exceeded limit of 4194304 bytes.",
    "log-runner-interrupted": "ERROR: Job failed (system failure): aborted: terminated",
    "log-job-canceled": "ERROR: Job failed: canceled",
    "log-watches-exhausted": "Error: ENOSPC: System limit for number of file watchers reached, watch '/builds'",
    "log-disk-full": "write /builds/x: no space left on device",
    "log-read-only": "mkdir: can't create directory '/builds/x': Read-only file system",
    "log-out-of-memory": "ERROR: Job failed: exit code 137",
    "log-prepare-environment": "ERROR: Job failed: prepare environment: exit code 255. Check https://docs.gitlab.com/runner/shells/index.html#shell-profile-loading",
    "log-script-crlf": "/usr/bin/env: 'bash\\r': No such file or directory",
    "log-script-not-executable": "/bin/bash: line 123: ./deploy.sh: Permission denied",
    "log-command-missing": "/scripts-1-2/step_script: line 152: npm: command not found",
    "log-proxy-refuses": 'Get "https://gitlab.example.com/": proxyconnect tcp: dial tcp 10.0.0.3:3128: connect: connection refused',
    "log-certificate-wrong-name": "x509: certificate is valid for gitlab.example.com, not git.example.com",
    "log-certificate-expired": "x509: certificate has expired or is not yet valid: current time 2026-11-26T00:00:00Z is after",
    "log-certificate-unknown": "fatal: unable to access 'https://gitlab.example.com/g/p.git/': SSL certificate problem: self-signed certificate in certificate chain",
    "log-tls-handshake-timeout": "net/http: TLS handshake timeout",
    "log-name-not-found": "dial tcp: lookup gitlab.example.com on 10.0.0.2:53: no such host",
    "log-gitlab-fails": "fatal: unable to access 'https://gitlab.example.com/g/p.git/': The requested URL returned error: 502",
    "log-connection-refused": "Failed to connect to gitlab.example.com port 443: Connection refused",
    "log-script-failed": "\x1b[31;1mERROR: Job failed: exit code 1\x1b[0;m",
    "log-connection-timeout": "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
}  # fmt: skip


@pytest.mark.parametrize("kind", messages.KINDS, ids=lambda kind: kind.code)
def test_every_kind_has_words_that_are_taken_for_it_and_nothing_else(kind: Kind) -> None:
    (found,) = recognized(SAYINGS[kind.code])
    assert found.finding.code == kind.code
    assert found.finding.fix


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('Load key "/dev/fd/63": invalid format', "log-ssh-key-broken"),
        ("standard_init_linux.go:228: exec user process caused: no such file or directory", "log-script-crlf"),
        ("standard_init_linux.go:178: exec user process caused \"exec format error\"", "log-image-wrong-architecture"),
        ("Error response from daemon: Head \"https://registry.example.com/v2/g/p/manifests/1\": unauthorized: HTTP Basic: Access denied", "log-pull-denied"),
        ("fatal: unable to access 'https://g/': The requested URL returned error: 403", "log-git-refused"),
        ("fatal: Authentication failed for 'https://gitlab.example.com/g/p.git/'", "log-git-refused"),
        ("Error: unable to get local issuer certificate", "log-certificate-unknown"),
        ("curl: (60) SSL certificate problem: unable to get local issuer certificate", "log-certificate-unknown"),
        ("E: Failed to fetch http://deb.debian.org/debian/x  Could not connect to deb.debian.org:80, connection timed out", "log-connection-timeout"),
        ("wget: bad address 'gitlab.example.com'", "log-name-not-found"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "log-out-of-memory"),
        ("ERROR: Job failed (system failure): aborted: interrupt", "log-runner-interrupted"),
        ("The script exceeded the maximum execution time set for the job", "log-job-timeout"),
        ("bash: ./gradlew: /bin/sh^M: bad interpreter: No such file or directory", "log-script-crlf"),
        ("/bin/sh: eval: line 148: make: not found", "log-command-missing"),
        ("mount: permission denied (are you root?)", "log-dind-unprivileged"),
        ("failed to solve: node:99: docker.io/library/node:99: not found", "log-image-unknown-tag"),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host', "log-registry-unreachable"),
        ('Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)', "log-registry-unreachable"),
        ("ERROR: failed to register layer: write /usr/lib/x: no space left on device", "log-disk-full"),
        ("WARNING: Checking for jobs... failed runner=x status=couldn't execute POST against https://gitlab.example.com/api/v4/jobs/request: Post: x509: certificate signed by unknown authority", "log-certificate-unknown"),
    ],
)  # fmt: skip
def test_other_words_for_the_same_are_known_too(line: str, code: str) -> None:
    assert [one.finding.code for one in recognized(line)] == [code]


def test_a_code_is_one_kind() -> None:
    assert sorted(SAYINGS) == sorted(kind.code for kind in messages.KINDS)


@pytest.mark.parametrize(
    "log",
    [
        "",
        "\x1b[0;m",
        "Job succeeded",
        "\0" * 9,
        "npm test\n1 failing",
    ],
)
def test_what_a_job_says_of_itself_is_not_taken_for_another_cause(log: str) -> None:
    assert recognized(log) == ()


def test_a_terminal_may_have_broken_the_line() -> None:
    (found,) = recognized(
        "ERROR: could not find an available, non-overlapping\n  IPv4 address pool"
    )
    assert found.finding.code == "log-network-pool-exhausted"


def test_ends_of_long_lines_and_of_long_logs_are_read() -> None:
    long = "x" * 9 * LETTERS
    assert recognized(f"{long} no space left on device")
    assert recognized("fine\n" * 200_000 + "fatal: early EOF\n" + "fine\n" * 9)
    assert len(recognized(f"no space left on device {long}")[0].line) < 3 * LETTERS


PIECES = ("a", " ", "\r", "\n", "x509:", "/v2/", "stuck ", "lookup ", "error during connect: ", "./", "\x1b[", "section_start:1:a",
          "2026-11-20T07:01:02.123456Z 00O+", "no runners ", "failed to pull image ", "uploading artifacts")  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_log_is_read_in_time_that_grows_as_it_does(piece: str) -> None:
    assert linear(recognized, piece, 20_000)
