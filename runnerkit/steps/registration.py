"""Each wanted runner is registered once, and GitLab's side of it is as the settings say."""

from collections.abc import Iterator
from typing import Any

from runnerkit import config_toml
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs, ServerRunner
from runnerkit.plan import Change, Hint, Script, ServerCall, diff, render
from runnerkit.want import Want, WantedRunner

HINTS = (
    Hint("Invalid executor", "this gitlab-runner has no such executor: name a newer [manager] image"),
    Hint("reserved and cannot be specified|is reserved", "tags and the like go through GITLAB_TOKEN"),
    Hint("status=410|410 Gone", "this GitLab has registration tokens switched off: use GITLAB_TOKEN (the API "
         "creates the runner) or a glrt- token in RUNNER_TOKEN"),
    Hint("is not valid|status=403|[Ff]orbidden", "GitLab refuses the token: copy it again, or make a new one"),
    Hint("no such host|refused|timeout|unreachable|network", "the host cannot reach GitLab: check "
         "--url, DNS and the firewall there"),
    Hint("x509|certificate", "the host does not trust GitLab's certificate: put its CA into "
         "<config_dir>/certs/<GitLab's host name>.crt on the host"),
    Hint("", "run again; what was registered so far is found"),
)  # fmt: skip
FIELDS = ("run_untagged", "locked", "paused", "access_level", "maximum_timeout")


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    for runner in want.runners:
        server = have.server.get(runner.key)
        if config_toml.entry(want, have, runner) is None:
            yield from _register(want, have, runner, server)
        elif server is not None:
            yield from _update(runner, server)


def settings_at_gitlab(runner: WantedRunner) -> dict[str, Any]:
    """What the settings say of GitLab's side; what they do not name is left alone there."""
    said = {key: getattr(runner.spec, key) for key in FIELDS}
    if runner.spec.tags is not None:
        said["tag_list"] = list(dict.fromkeys(runner.spec.tags))
    return {key: value for key, value in said.items() if value is not None}


def unmanaged(want: Want, have: Facts) -> Iterator[str]:
    """What the settings name and the kit can neither set nor see, in a sentence each."""
    for runner in want.runners:
        index = config_toml.entry(want, have, runner)
        if runner.token and index is not None:
            entry = config_toml.parsed(want, have)["runners"][index]
            if entry.get("token") != runner.token.reveal():
                yield (
                    f"runner {runner.key} is registered on the host with another token than the one "
                    f"given; to change over, remove its [[runners]] entry from {want.config}"
                )
        words = ", ".join(sorted(settings_at_gitlab(runner)))
        joined = config_toml.entry(want, have, runner) is not None
        what = f"{words} of runner {runner.key} are GitLab's to keep: "
        if not words:
            continue
        if want.api and joined and runner.key not in have.server:
            yield f"{what}GITLAB_TOKEN does not see the runner; scope manage_runner has them checked"
        elif not want.api and joined and runner.registration_token:
            yield f"{what}registering set them once; give GITLAB_TOKEN to have them checked"
        elif not want.api and not runner.registration_token:
            yield (
                f"{what}a glrt- token cannot set them; give GITLAB_TOKEN to have them set and checked"
            )


def _register(
    want: Want, have: Facts, runner: WantedRunner, server: ServerRunner | None
) -> Iterator[Change]:
    name = runner.name(have.hostname)
    if runner.token:
        way = "token"
    elif want.api:
        way = "api"
        yield _mint(runner, have, server)
    elif runner.registration_token:
        way = "registration"
    else:
        named = f"set {runner.spec.token}" if runner.spec.token else "give it a token"
        raise KitError(
            f"runner {runner.key} is not registered, and there is no token to register it with",
            f"{named} (glrt-…), or GITLAB_TOKEN to have the API create the runner",
        )
    text = render(
        "register.sh.j2",
        want=want,
        runner=runner,
        name=name,
        note=runner.note(have.identity),
        variable="REGISTRATION_TOKEN" if way == "registration" else "CI_SERVER_TOKEN",
        options=settings_at_gitlab(runner) if way == "registration" else {},
        template=render("config.toml.j2", entry=config_toml.runner_wanted(runner), toml=toml),
    )
    entry = diff("", config_toml.shown(runner), want.config)
    yield Script(f"register runner {name}", text, entry, token=runner.key, hints=HINTS)


def _mint(runner: WantedRunner, have: Facts, server: ServerRunner | None) -> ServerCall:
    name, spec = runner.name(have.hostname), runner.spec
    if server:  # created by a run that was cut off before the host had its token
        title = f"take over runner {name} (#{server.id}) at GitLab with a new token"
        return ServerCall(title, "reset", runner.key, server.id)
    owner = {"project_type": {"project_id": spec.project}, "group_type": {"group_id": spec.group}}
    data = {
        "runner_type": spec.kind,
        "description": name,
        "maintenance_note": runner.note(have.identity),
        **owner.get(spec.kind, {}),
        **settings_at_gitlab(runner),
    }
    return ServerCall(
        f"create runner {name} at GitLab ({spec.kind})", "create", runner.key, data=data
    )


def _update(runner: WantedRunner, server: ServerRunner) -> Iterator[Change]:
    said = settings_at_gitlab(runner)
    now = {**{key: getattr(server, key) for key in FIELDS}, "tag_list": sorted(server.tags)}
    if "tag_list" in said:
        said["tag_list"] = sorted(said["tag_list"])
    if differing := {key: value for key, value in said.items() if now[key] != value}:
        lines = ["\n".join(f"{key} = {values[key]}" for key in differing) for values in (now, said)]
        yield ServerCall(
            f"set {', '.join(differing)} of runner #{server.id} at GitLab",
            "update", runner.key, server.id, differing, diff(lines[0], lines[1], f"runner #{server.id}"),
        )  # fmt: skip


def toml(value: Any) -> str:
    """A value in TOML's inline form."""
    import tomlkit

    if isinstance(value, dict):
        pairs = (f"{tomlkit.key(key).as_string()} = {toml(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return str(tomlkit.item(value).as_string())
