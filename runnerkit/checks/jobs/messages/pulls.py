"""Messages about images: whether they may be used, can be pulled, and fit the machine."""

from runnerkit.checks.jobs.messages.message import error

MESSAGES = (
    error(
        "log-pull-rate-limited",
        "toomanyrequests|reached your (?:unauthenticated )?pull rate limit|TOO_?MANY_?REQUESTS"
        "|429 too many requests",
        "the registry serves this address no more images for now: its pull limit is reached",
        "name a mirror in [docker] registry_mirrors and run ./inv bootstrap; or log in, by a variable "
        "DOCKER_AUTH_CONFIG of the job or of settings.environment",
    ),
    error(
        "log-pull-policy-disallowed",
        "is not one of the allowed_pull_policies",
        "the pull policy of the job, or of the runner, is none that the runner allows",
        "give docker.allowed_pull_policies of the runner the policy too, or take pull_policy out of "
        ".gitlab-ci.yml",
    ),
    error(
        "log-image-disallowed",
        "disallowed (?:image|service)|is not present on list of allowed (?:images|services)",
        "the runner does not allow this image",
        "use one that is listed in the log; or add it to docker.allowed_images (allowed_services) of "
        "the runner: * stays within a part of the name, ** does not",
    ),
    error(
        "log-pull-refused-by-mirror",
        "not in the (?:allow|white) ?list|402 payment required|quota (?:has been )?exceeded.{0,80}pull"
        "|denied: this (?:image|repository) is (?:blocked|not allowed)",
        "the registry mirror does not serve this image",
        "put a mirror that has it first in [docker] registry_mirrors, then ./inv bootstrap",
    ),
    error(
        "log-helper-not-pulled",
        "failed to pull (?:docker )?image .{0,60}gitlab-runner-helper"
        "|no such image: .{0,80}gitlab-runner-helper|pull .{0,80}gitlab-runner-helper.{0,200}(?:denied|"
        "timeout|refused|no such host|not found)",
        "GitLab's helper image, which every job needs, is not on the host and cannot be pulled",
        "./inv bootstrap --host HOST puts it there; without registry.gitlab.com, name docker.helper_image "
        "at a registry that the host reaches",
    ),
    error(
        "log-image-not-there",
        "no such image:|with specified policies \\[never\\]|image .{0,200} not found locally"
        "|errimageneverpull",
        "the image is not on the host, and the pull policy forbids to fetch it",
        "build it there: ./inv image.build NAME --host HOST, or ./inv image.ship NAME; ./inv image.list "
        "shows who has it",
    ),
    error(
        "log-login-without-password",
        "interactive login from a non tty|must provide --username with --password-stdin|password: (?:error|eof)",
        "docker login got no password: the variable is empty in this job",
        "a protected variable is there on protected branches and tags only; see Settings, CI/CD, Variables",
    ),
    error(
        "log-pull-denied",
        "pull access denied for|repository does not exist or may require|requested access to the "
        "resource is denied|no basic auth credentials|(?:unauthorized|denied): .{0,80}(?:authentication "
        "required|access forbidden|access denied|incorrect username)|insufficient_scope",
        "the registry does not know the image, or not who asks: one that is built on the host is in no "
        "registry",
        "of a job image of the kit: pull_policy if-not-present or never, then ./inv image.build NAME; of "
        "a private one: a variable DOCKER_AUTH_CONFIG with the login",
    ),
    error(
        "log-image-wrong-architecture",
        "exec format error|no matching manifest for (?:linux|unknown)|does not match the (?:detected |"
        "specified )?(?:host )?platform|image operating system .{0,60} cannot be used|wrong[- ]architecture",
        "the image is for another processor than the host has",
        "use an image with that architecture; of a job image ./inv image.build builds it for the host "
        "itself. A script with this message lacks its #! line",
    ),
    error(
        "log-image-unknown-tag",
        "manifest (?:for .{0,200} )?(?:unknown|not found)|name unknown: |failed to solve: .{1,300}: not found$|failed to resolve reference "
        ".{0,200}not found",
        "the registry has no such image, or no such tag of it",
        "see how name and tag are written; of a mirror: whether it has the newest tags at all",
    ),
    error(
        "log-image-format-too-old",
        "(?:schema ?1|image format v1|manifest\\.v1\\+prettyjws).{0,120}(?:deprecated|unsupported|no longer|"
        "removed)|media type .{0,80} is no longer supported",
        "the image has a form that this engine does not read any more",
        "build and push it anew with a Docker of today",
    ),
    error(
        "log-registry-speaks-http",
        "server gave http response to https client",
        "the registry speaks http, and Docker only https with those that it was not told of",
        "add its host:port to [docker.daemon] insecure-registries and run ./inv bootstrap, or give it a "
        "certificate",
    ),
    error(
        "log-registry-certificate",
        "(?:error response from daemon|/v2/|docker login|docker push|failed to pull).{0,300}x509:",
        "Docker does not accept the certificate of the registry",
        "put the CA into /etc/docker/certs.d/HOST:PORT/ca.crt on the host (into the dind service, where "
        "that one pulls); no restart is needed",
    ),
    error(
        "log-registry-unreachable",
        "(?:error response from daemon|failed to (?:pull|resolve|do request)|https?://\\S{1,100}/v2/)"
        ".{0,300}(?:no such host|timeout|deadline exceeded|connection refused|connection reset|no route to "
        "host|unreachable|request canceled|server misbehaving|: eof)",
        "the host's Docker does not reach the registry",
        "name a mirror that it reaches in [docker] registry_mirrors and run ./inv bootstrap; or Docker's "
        "proxy; ./inv doctor --host HOST asks each registry for the images",
    ),
    error(
        "log-registry-fails",
        "received unexpected http status: 5\\d\\d|error parsing http 5\\d\\d response body|unexpected "
        "status(?: code)? .{0,200}: 5\\d\\d",
        "the registry, or the mirror before it, fails",
        "see how it fares; a second one in [docker] registry_mirrors is asked when the first fails",
    ),
)
