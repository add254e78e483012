"""Messages about Docker itself: that of the host, and that within a job."""

from runnerkit.checks.jobs.messages.message import error

MESSAGES = (
    error(
        "log-docker-socket-denied",
        "permission denied while trying to connect to the docker|dial unix \\S{0,80}docker\\.sock: connect: "
        "permission denied",
        "who speaks to the Docker socket may not use it: a user without rights, or SELinux",
        "in a job: run as root, or join the group that owns the socket; of the manager: ./inv doctor "
        "--host HOST, and sealert there where SELinux is on",
    ),
    error(
        "log-dind-unprivileged",
        "could not mount /sys/kernel/security|mount: permission denied \\(are you root|can't initialize "
        "iptables table|failed to mount overlay: operation not permitted"
        "|error initializing network controller.{0,300}permission denied",
        "Docker within the job (dind) was started without the rights that it needs",
        "docker.privileged = true of a runner that only trusted projects have; or services_privileged "
        "with allowed_privileged_services, which leaves the job itself without",
    ),
    error(
        "log-dind-not-reached",
        "cannot connect to the docker daemon at tcp:|error during connect: .{0,300}(?:lookup|dial tcp)"
        "|lookup docker(?: on \\S{1,60})?: |lookup docker:|tcp://\\S{1,60}:237[56]|docker:237[56]",
        "the job asks for a Docker service (dind) that it does not have, or that did not start",
        "give the job services: [docker:dind], the runner docker.privileged; for port 2376 also volumes "
        '["/certs/client"], for 2375 the variable DOCKER_TLS_CERTDIR: ""',
    ),
    error(
        "log-docker-not-reached",
        "cannot connect to the docker daemon at unix:|is the docker daemon running\\?|failed to connect to "
        "the docker api at unix",
        "no Docker answers: in a job because jobs have none by themselves, on the host because it is stopped",
        "in a job: use services: [docker:dind], or a builder without a daemon; of the host: ./inv doctor "
        "--host HOST",
    ),
    error(
        "log-docker-client-too-old",
        "client version [\\d.]+ is too old",
        "the engine is newer than who speaks to it: gitlab-runner, or the docker command of the job",
        "raise [manager] image and run ./inv bootstrap; in a job: a newer image of docker:cli",
    ),
    error(
        "log-docker-client-too-new",
        "client version [\\d.]+ is too new|not supported by this client: the minimum supported",
        "the engine is older than who speaks to it: gitlab-runner, or the docker command of the job",
        "upgrade Docker on the host; or, in a job, set DOCKER_API_VERSION to what the engine has",
    ),
    error(
        "log-image-no-shell",
        'exec: \\\\?"(?:/bin/)?(?:ba)?sh\\\\?": .{0,80}(?:not found|no such file)|shell not found|'
        "no such file or directory: sh",
        "the image has no shell, which a job's script is read by",
        'use the variant with one (:debug of distroless and kaniko), with entrypoint: [""] in the job; '
        "or copy a busybox into it",
    ),
    error(
        "log-network-pool-exhausted",
        "non-overlapping ipv4 address pool|all predefined address pools have been fully subnetted",
        "Docker has no subnet left for another network: jobs left theirs, or a VPN covers them all",
        "docker network prune on the host while no job runs; then [docker.daemon] default-address-pools "
        "with smaller ones",
    ),
    error(
        "log-iptables-flushed",
        "no chain/target/match by that name|iptables failed: iptables|chain '?DOCKER\\S{0,30} does not exist",
        "somebody took Docker's firewall rules away: a firewall was reloaded after Docker had started",
        "systemctl restart docker on the host while no job runs; let the firewall start before Docker",
    ),
    error(
        "log-cgroup-missing",
        "cannot find cgroup mount destination|cgroup mountpoint does not exist|devices cgroup isn't mounted"
        "|no cgroup mount found|failed to create cgroup",
        "Docker does not find the cgroups by which it bounds containers",
        "upgrade Docker where the system has cgroup v2 alone; on others mount them (cgroupfs-mount)",
    ),
    error(
        "log-engine-too-old-for-image",
        "pthread_create failed: operation not permitted|can't start new thread|clone3.{0,80}operation not "
        "permitted|at least one invalid signature was encountered",
        "the image is newer than the engine: its system calls are refused",
        "upgrade Docker and libseccomp2 on the host",
    ),
    error(
        "log-volume-wrong",
        "invalid volume specification|mounts denied|invalid mount config for type|bind source path does "
        "not exist|volume for container path .{0,200} is already defined|error while creating mount source",
        "a volume of the runner's settings cannot be mounted",
        "correct docker.volumes of the runner: each container path once, host paths absolute",
    ),
    error(
        "log-volume-permissions",
        "set volume permissions: ",
        "the helper image cannot set up a volume: it does not run there, or is of another version",
        "./inv bootstrap --host HOST puts the helper of the manager's version there; take docker.helper_image "
        "out of the runner where it names another",
    ),
    error(
        "log-user-disallowed",
        'user "[^"]{0,80}" is not an allowed user|unable to find user ',
        "the job runs as a user that the runner does not allow, or that the image does not have",
        "correct docker.user and docker.allowed_users of the runner, or image:docker:user of the job",
    ),
    error(
        "log-container-gone",
        "no such container:|container .{0,80} is marked for removal|removal of container .{0,80} is already "
        "in progress",
        "somebody removed the job's container while it ran",
        "let nothing prune containers there: no docker system prune by cron. ./inv image.prune spares jobs",
    ),
    error(
        "log-service-not-ready",
        "probably didn't start properly|health check error:|service \\S{1,120} timeout",
        "a service of the job did not open its port in time, or ended",
        "read its log below that line; give docker.wait_for_services_timeout of the runner more seconds, "
        "and the service the variables that its image wants",
    ),
    error(
        "log-vm-max-map-count",
        "vm\\.max_map_count \\[?\\d+\\]? is too low",
        "Elasticsearch wants more memory maps than the host allows",
        "sysctl -w vm.max_map_count=262144 on the host, and the same line in /etc/sysctl.d",
    ),
    error(
        "log-container-not-started",
        "oci runtime create failed|failed to create (?:shim )?task|starting container process caused",
        "Docker cannot start the container: the rest of that line says why",
        "see that line; ./inv doctor --host HOST starts one with the same options",
    ),
)
