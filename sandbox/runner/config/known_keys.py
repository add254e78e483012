"""The keys of config.toml that gitlab-runner 19.3 knows, in the order in which it writes them.

After a key stands its kind: nothing for a text, # a number, ? true or false, * a list of texts,
% a text or a list, = a table of texts, & a table of booleans, @ a time, ~ anything; and ! where
it is written even when zero.
"""

import re
from typing import TypeAlias

Kind: TypeAlias = "str | dict[str, Kind] | list[dict[str, Kind]]"
Keys: TypeAlias = dict[str, Kind]


def _keys(text: str, **tables: Kind) -> Keys:
    return {**dict(re.findall(r"([\w-]+)(\S*)", text)), **tables}


SERVICE = _keys("name alias entrypoint* command* environment*")

DOCKER = _keys(
    """
    host tls_cert_path tls_verify?! hostname image! runtime memory memory_swap memory_reservation
    cgroup_parent cpuset_cpus cpuset_mems cpus cpu_shares# dns* dns_search* privileged?!
    services_privileged? disable_entrypoint_overwrite?! user allowed_users* group_add* userns_mode
    cap_add* cap_drop* oom_kill_disable?! oom_score_adjust# security_opt* services_security_opt*
    devices* device_cgroup_rules* gpus services_devices~ disable_cache?! volumes* volume_driver
    volume_driver_ops= volume_keep?! cache_dir extra_hosts* volumes_from* network_mode ipcmode
    pid_mode mac_address links* services_limit# service_memory service_memory_swap
    service_memory_reservation service_cgroup_parent service_slot_cgroup_template
    service_cpuset_cpus service_cpus service_cpu_shares# service_gpus wait_for_services_timeout#
    allowed_images* allowed_privileged_images* allowed_privileged_services*
    allowed_pull_policies* allowed_services* pull_policy% isolation shm_size#! tmpfs=
    services_tmpfs= sysctls= helper_image helper_image_flavor container_labels= enable_ipv6?
    ulimit= log_options= network_mtu#!
    """,
    services=[SERVICE],
)

AUTOSCALER = _keys(
    """
    capacity_per_instance# max_use_count# max_instances# plugin plugin_config~
    delete_instances_on_shutdown? instance_ready_command instance_acquire_timeout update_interval
    update_interval_when_expecting deletion_retry_interval shutdown_deletion_interval
    shutdown_deletion_retries# failure_threshold# reservation_throttling~ log_internal_ip?
    log_external_ip?
    """,
    connector_config=_keys(
        """
        os arch protocol protocol_port# username password key_path use_static_credentials?
        keepalive timeout use_external_addr?
        """
    ),
    policy=[
        _keys(
            """
            periods* timezone idle_count# idle_time scale_factor~ scale_factor_limit#
            preemptive_mode?
            """
        )
    ],
    scale_throttle=_keys("limit# burst#"),
    state_storage=_keys("enabled? dir keep_instance_with_acquisitions?"),
)

RUNNER = _keys(
    """
    name! limit# output_limit# request_concurrency# strict_check_interval?
    unhealthy_requests_limit# unhealthy_interval job_status_final_update_retry_limit# labels= url!
    id#! token! token_obtained_at@! token_expires_at@! tls-ca-file tls-cert-file tls-key-file
    executor! builds_dir cache_dir clone_url environment* pre_get_sources_script
    post_get_sources_script pre_build_script post_build_script prepare_timeout
    get_sources_timeout debug_trace_disabled? safe_directory_checkout? clean_git_config?
    proxy_exec? shell use_slot_cgroups? slot_cgroup_template step_runner_image custom_build_dir~
    referees~ cache~ artifact~ feature_flags& monitoring~ instance~ experimental~ ssh~
    """,
    docker=DOCKER,
    autoscaler=AUTOSCALER,
    **_keys("parallels~ virtualbox~ machine~ kubernetes~ custom~"),
)

CONFIG = _keys(
    """
    listen_address concurrent#! check_interval#! log_level log_format user labels= sentry_dsn
    connection_max_age shutdown_timeout#! machine~ experimental~
    """,
    session_server=_keys("listen_address advertise_address session_timeout#"),
    runners=[RUNNER],
)
