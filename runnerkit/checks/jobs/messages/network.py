"""Messages about names, certificates and connections. The last of all: others say more."""

from runnerkit.checks.jobs.messages.message import error

MESSAGES = (
    error(
        "log-proxy-refuses",
        "proxyconnect tcp|407 proxy authentication required|from proxy after connect|proxy connect aborted",
        "the proxy is not there, or refuses",
        "correct HTTP_PROXY and HTTPS_PROXY of that place (jobs: settings.environment; Docker: its own), "
        "and name GitLab in NO_PROXY",
    ),
    error(
        "log-certificate-wrong-name",
        "x509: certificate is (?:not )?valid for|doesn't contain any ip sans|relies on legacy common name|"
        "no alternative certificate subject name matches|hostname mismatch|certificate verify failed: "
        "ip address mismatch",
        "the certificate is for another name than the one that was asked for",
        "write the name of the certificate into [gitlab] url, or add this one to it (as a SAN)",
    ),
    error(
        "log-certificate-expired",
        "certificate has expired|certificate is not yet valid|certificate expired",
        "the certificate is out of its time; or the clock of the host or job is wrong",
        "renew it there; date on the host tells of the clock",
    ),
    error(
        "log-certificate-unknown",
        "certificate signed by unknown authority|self[- ]signed certificate|unable to get (?:local )?issuer "
        "certificate|server certificate verification failed|SSL certificate problem|certificate verify "
        "failed|PKIX path building failed",
        "the certificate is signed by a CA that the client does not know",
        "the manager: /srv/gitlab-runner/config/certs/GITLAB-NAME.crt on the host, which git in jobs has "
        "too; other tools of a job: the CA in its image",
    ),
    error(
        "log-tls-handshake-timeout",
        "tls handshake timeout|gnutls_handshake\\(\\) failed|connection reset by peer.{0,80}tls|"
        "ssl_connect: connection reset",
        "a connection begins and its first large packet never comes: a smaller MTU on the way, or a firewall",
        "[docker.daemon] mtu as the host's own interface has it (ip link), for example 1450, then "
        "./inv bootstrap; jobs with networks of their own: docker.network_mtu",
    ),
    error(
        "log-name-not-found",
        "could not resolve (?:host|proxy)|no such host|(?:temporary|non-recoverable) failure in name "
        "resolution|name or service not known|lookup \\S{1,200}: (?:try again|server misbehaving)|"
        "server misbehaving|bad address '|getaddrinfo (?:enotfound|eai_again)|failed to lookup address|"
        "name does not resolve|nodename nor servname",
        "a name cannot be resolved from where it was asked",
        'docker.dns = ["ADDRESS"] of the runner where only containers cannot; /etc/resolv.conf of the '
        "host where it cannot either: ./inv doctor --host HOST tells which",
    ),
    error(
        "log-gitlab-fails",
        "the requested url returned error: 5\\d\\d|(500 internal server error|502 bad gateway|503 service "
        "(?:temporarily )?unavailable|504 gateway time-?out)",
        "the server, or what stands before it, fails",
        "see how GitLab fares; gitlab-ctl status and tail there. Retry the job afterwards",
    ),
    error(
        "log-connection-refused",
        "connection refused|econnrefused|no route to host|network is unreachable",
        "nothing listens at that address, or a firewall refuses",
        "see that address and port in the log: localhost in a job is the job's own container, and a "
        "service has its own name; ./inv doctor --host HOST asks for GitLab's",
    ),
    error(
        "log-connection-timeout",
        "context deadline exceeded|client\\.timeout exceeded|i/o timeout|connection timed out|operation "
        "timed out|etimedout|timed out after \\d+",
        "a server did not answer in time: a firewall that drops packets, a proxy that is missing, or an "
        "overload",
        "./inv doctor --host HOST asks from the host and from a container; where both reach GitLab, see the "
        "load of what is named in that line",
    ),
)
