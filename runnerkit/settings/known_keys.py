"""The keys of config.toml that gitlab-runner knows (commands/config, common/config.go of 19.3).

Others go through as well, unless one of these is nearly meant: a program before 19.3 passes over
what it does not know without a word. Those that the kit reads itself, or lays its own under, have
the type that it reads; all others' types are the program's to tell.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Known: TypeAlias = Mapping[str, Any]


TEXT: Any = str
TEXTS: Any = tuple[str, ...]
TABLE: Any = dict[str, Any]


def _known(words: str, **others: Any) -> Known:
    return {**{word: {} for word in words.split()}, **others}


def _typed(kind: Any, words: str) -> Known:
    return dict.fromkeys(words.split(), kind)


CACHE = _known(
    "Type Path Shared MaxUploadedArchiveSize",
    s3=_known(
        """
        ServerAddress AccessKey SecretKey SessionToken BucketName BucketLocation Insecure
        AuthenticationType ServerSideEncryption ServerSideEncryptionKeyID DualStack Accelerate
        PathStyle RoleARN UploadRoleARN
        """
    ),
    gcs=_known("CredentialsFile AccessID PrivateKey BucketName UniverseDomain"),
    azure=_known("AccountName AccountKey ContainerName StorageDomain"),
)
DOCKER = _known(
    """
    host tls_cert_path tls_verify hostname runtime memory memory_swap memory_reservation
    cgroup_parent cpuset_cpus cpuset_mems cpus cpu_shares dns dns_search
    disable_entrypoint_overwrite user allowed_users group_add oom_kill_disable oom_score_adjust
    device_cgroup_rules gpus services_devices disable_cache volume_driver volume_driver_ops
    volume_keep cache_dir extra_hosts mac_address links services_limit service_memory
    service_memory_swap service_memory_reservation service_cgroup_parent
    service_slot_cgroup_template service_cpuset_cpus service_cpus service_cpu_shares
    service_gpus wait_for_services_timeout allowed_privileged_images allowed_privileged_services
    isolation shm_size tmpfs services_tmpfs sysctls helper_image_flavor container_labels
    enable_ipv6 ulimit log_options network_mtu
    """,
    **_typed(TEXT, "image helper_image network_mode pid_mode ipcmode userns_mode"),
    **_typed(
        TEXTS,
        """
        volumes volumes_from devices cap_add cap_drop security_opt services_security_opt
        allowed_images allowed_services allowed_pull_policies
        """,
    ),
    **_typed(bool, "privileged services_privileged"),
    pull_policy=str | TEXTS,
    services=_known("name alias entrypoint command environment"),
)
AUTOSCALER = _known(
    """
    max_use_count plugin_config delete_instances_on_shutdown instance_ready_command
    instance_acquire_timeout update_interval update_interval_when_expecting
    deletion_retry_interval shutdown_deletion_interval shutdown_deletion_retries
    failure_threshold reservation_throttling log_internal_ip log_external_ip vm_isolation
    """,
    **_typed(int, "max_instances capacity_per_instance"),
    plugin=TEXT,
    connector_config=_known(
        """
        os arch protocol protocol_port username password key_path use_static_credentials
        keepalive timeout use_external_addr
        """
    ),
    policy=_known(
        """
        periods timezone idle_count idle_time scale_factor scale_factor_limit preemptive_mode
        """
    ),
    scale_throttle=_known("limit burst"),
    state_storage=_known("enabled dir keep_instance_with_acquisitions"),
)
RUNNER = _known(
    """
    name limit output_limit request_concurrency strict_check_interval unhealthy_requests_limit
    unhealthy_interval job_status_final_update_retry_limit labels url id token token_obtained_at
    token_expires_at tls-ca-file tls-cert-file tls-key-file executor builds_dir cache_dir
    clone_url environment pre_get_sources_script post_get_sources_script pre_build_script
    post_build_script prepare_timeout get_sources_timeout safe_directory_checkout
    clean_git_config proxy_exec shell use_slot_cgroups slot_cgroup_template step_runner_image
    custom_build_dir referees artifact monitoring instance experimental ssh parallels virtualbox
    machine kubernetes custom
    """,
    debug_trace_disabled=bool,
    feature_flags=TABLE,
    docker=DOCKER,
    autoscaler=AUTOSCALER,
    cache=CACHE,
)
MANAGER = _known(
    """
    listen_address check_interval log_level log_format user labels sentry_dsn connection_max_age
    shutdown_timeout machine experimental
    """,
    concurrent=int,
    session_server=_known("listen_address advertise_address session_timeout"),
)
