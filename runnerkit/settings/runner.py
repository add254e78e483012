"""A runner, as the settings have it."""

from typing import Annotated, Any, Literal

import msgspec

from runnerkit.settings import durations
from runnerkit.settings.kinds import ImageOrVariable
from runnerkit.settings.secrets import Source


class Runner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A runner: an entry `[[runners]]` of config.toml. What is left out, and has no default, stays as others left it; what the kit
    wrote goes when it leaves the settings, as does a runner that the kit registered."""

    name: str = ""
    """Its name in config.toml, and its description at GitLab. Left out: the host's name and, where
    runners have names here, this one: `ci1-web`."""
    token: Source | None = None
    """A runner's own token, `glrt-…`, from GitLab: Settings, CI/CD, Runners, New runner. Only a host
    that is not registered yet needs it."""
    registration_token: Source | None = None
    """A registration token, the old way; GitLab 17 and later refuse it unless it is allowed there."""
    type: Literal["", "instance_type", "group_type", "project_type"] = ""
    """Whose runner the API creates. Left out: a project's or a group's where one is named below,
    else the whole of GitLab's, which only an administrator's token may create."""
    project: int | None = None
    """The project that a runner created by the API belongs to, by its id. Needs `gitlab.api_token`."""
    group: int | None = None
    """The group that a runner created by the API belongs to, by its id. Needs `gitlab.api_token`."""
    image: ImageOrVariable = ""
    """The image of jobs that name none: a folder of dockerfiles/, a name of `[images]`, or any
    reference. Needed, except for the executor `instance`."""
    tags: tuple[str, ...] | None = None
    """Its tags. These and the next five are GitLab's to keep: they need `gitlab.api_token`, and a
    registration token sets them once."""
    run_untagged: bool | None = None
    """Whether it takes jobs without tags."""
    locked: bool | None = None
    """Whether it stays with the projects that it has, and cannot be given to others."""
    paused: bool | None = None
    """Whether it takes no new jobs."""
    access_level: Literal["not_protected", "ref_protected"] | None = None
    """Whether it takes jobs of protected branches only (`ref_protected`)."""
    maximum_timeout: Annotated[int, durations.of(durations.SECONDS, 600)] | None = None
    """The longest that a job may take on it."""
    executor: Literal["docker", "docker-autoscaler", "instance"] = "docker"
    """What runs jobs: containers on the host, containers on machines of an autoscaler, or those
    machines themselves."""
    pull_policy: tuple[Literal["always", "if-not-present", "never"], ...] = ()
    """When the image of a job is pulled, tried in this order. A job image that the kit builds is only
    on the host; `always` would look for it elsewhere. Left out: `if-not-present`; of a shared runner
    `never` where its image is one that the kit builds, else `always`."""
    hardening: Literal["trusted", "shared"] = "trusted"
    """Who may send it jobs: people who could have the host as well (`trusted`), or people who need not
    trust each other (`shared`: see [Shared hosts](shared-hosts.md))."""
    docker: dict[str, Any] = {}
    """Any keys of `[runners.docker]` in config.toml, for example `docker.volumes = ["/cache"]`."""
    autoscaler: dict[str, Any] = {}
    """Any keys of `[runners.autoscaler]` in config.toml: see [Autoscaler](autoscaler.md)."""
    settings: dict[str, Any] = {}
    """Any other keys of `[[runners]]` in config.toml, for example `settings.limit = 4`. Variables of jobs
    may be a table: `settings.environment.DOCKER_AUTH_CONFIG = { env = "AUTH" }`."""

    @property
    def kind(self) -> str:
        """The runner's type at GitLab, told by what it belongs to where it is not said."""
        if self.type:
            return self.type
        if self.project is not None:
            return "project_type"
        return "group_type" if self.group is not None else "instance_type"
