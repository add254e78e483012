"""What makes a host sick, and well again; and servers that answer badly."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.hosts.kit import CONFIG, RESTART

KEPT = f"cp -p {CONFIG} /root/"
PUT_BACK = f"mv /root/config.toml {CONFIG}"
DATE = "/usr/local/sbin/date"
AHEAD = f"""cat >{DATE} <<'END'
#!/bin/sh
[ "$*" = +%s ] && echo $(($(/bin/date +%s) + 86400)) || exec /bin/date "$@"
END
chmod 755 {DATE}"""
UNIT = "/etc/systemd/system/gitlab-runner.service"
SERVICE = f"printf '[Service]\\nExecStart=/bin/sleep 600\\n' >{UNIT}; systemctl daemon-reload; systemctl start gitlab-runner"
CLEANER = "/usr/share/gitlab-runner"
PROXY = "http://somebody:sentinel@proxy.example.com:3128"
DAEMON = "/etc/docker/daemon.json"
JUMBO = f"""cp -p {DAEMON} /root/; sed -i '1s/{{/{{"mtu": 9000, /' {DAEMON}; {RESTART}"""
UNTAG = """docker image ls --format '{{.Repository}}:{{.Tag}}' | grep helper >/root/helpers
docker tag $(head -n 1 /root/helpers) kept:1; xargs docker rmi </root/helpers >/dev/null"""
TAG = "while read -r name; do docker tag kept:1 $name; done </root/helpers; docker rmi kept:1 >/dev/null"
VOLUMES = 's|volumes = .*|volumes = ["/cache", "/var/run/docker.sock:/var/run/docker.sock"]|'

# By the code that it must be found as: what is done to a host, and undone.
FIRST: dict[str, tuple[str, str]] = {
    "config-open": (f"chmod 644 {CONFIG}", f"chmod 600 {CONFIG}"),
    "config-broken": (f"{KEPT}; echo 'x = [' >>{CONFIG}", PUT_BACK),
    "clock-off": (AHEAD, f"rm {DATE}"),
    "engine-stopped": ("systemctl stop docker.socket docker", RESTART),
}
MORE: dict[str, tuple[str, str]] = {
    "manager-stopped": ("docker stop -t 60 gitlab-runner", "docker start gitlab-runner"),
    "manager-not-restarted": (
        "docker update --restart no gitlab-runner", "docker update --restart always gitlab-runner",
    ),
    "engine-silent": ("kill -STOP $(cat /run/docker.pid)", "kill -CONT $(cat /run/docker.pid)"),
    "helper-absent": (UNTAG, TAG),
    "job-image-absent": (
        "docker tag tester kept:2; docker rmi tester >/dev/null", "docker tag kept:2 tester; docker rmi kept:2",
    ),
    "runner-service": (SERVICE, f"systemctl stop gitlab-runner; rm {UNIT}; systemctl daemon-reload"),
    "runner-package": (
        f"mkdir {CLEANER}; touch {CLEANER}/clear-docker-cache", f"rm -r {CLEANER}",
    ),
    "runner-container": (
        "docker run -d --name other --entrypoint sleep $(docker inspect -f '{{.Config.Image}}' gitlab-runner) 600",
        "docker rm -f other",
    ),
    "socket-in-jobs": (f"{KEPT}; sed -i '{VOLUMES}' {CONFIG}", PUT_BACK),
    "limit-narrow": (f"{KEPT}; sed -i '/^\\[\\[runners/a limit = 1' {CONFIG}", PUT_BACK),
    "mtu-larger": (JUMBO, f"mv /root/daemon.json {DAEMON}; {RESTART}"),
    "proxy-not-of-docker": (
        f"cp -p /etc/environment /root/; echo 'HTTPS_PROXY={PROXY}' >>/etc/environment",
        "cp -p /root/environment /etc/",
    ),
    "forwarding-refused": (
        "echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/no.conf; systemctl reload ssh",
        "rm /etc/ssh/sshd_config.d/no.conf; systemctl reload ssh",
    ),
    "system-id-absent": (
        "mv /srv/gitlab-runner/config/.runner_system_id /root/",
        "mv /root/.runner_system_id /srv/gitlab-runner/config/",
    ),
}  # fmt: skip
NOTES = {
    *("runner-package", "runner-container", "socket-in-jobs", "limit-narrow"),
    *("proxy-not-of-docker", "forwarding-refused", "system-id-absent", "registry-lacks", "gitlab-slow"),
}  # fmt: skip

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def server(
    address: str, answer: Callable[[str], Answer], secure: tuple[str, str] | None = None
) -> Iterator[str]:
    """A server on this machine that answers each path so; its URL.

    Args:
        address: where it listens.
        answer: status, heads and body for a path.
        secure: the files of its certificate and key.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, heads, body = answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **heads}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            return

    listening = ThreadingHTTPServer((address, 0), Handler)
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secure)
        listening.socket = context.wrap_socket(
            listening.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'https' if secure else 'http'}://{address}:{listening.server_port}"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def certificate(folder: Path, name: str, days: int = 9) -> tuple[str, str]:
    """The files of a certificate that signs itself, for an address, and of its key.

    Args:
        folder: where they are put.
        name: the address.
        days: until when it holds; of one day ago with -1.
    """
    import ipaddress

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody's own CA")])
    signed = (
        x509.CertificateBuilder(issuer, issuer, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(20))
        .not_valid_after(now + timedelta(days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}-{days}.crt", folder / f"{name}-{days}.key"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(files[0]), str(files[1])


def as_json(status: int, data: object, **heads: str) -> Answer:
    return status, {"Content-Type": "application/json", **heads}, json.dumps(data).encode()
