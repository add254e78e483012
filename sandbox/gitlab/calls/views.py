"""Runners, managers, projects and jobs as the administrators' API shows them: without tokens."""

from sandbox.gitlab.calls.payload import commit
from sandbox.gitlab.model import Job, Manager, Runner, contact_status, stamp
from sandbox.gitlab.seed import GROUPS, Project
from sandbox.gitlab.state import State

View = dict[str, object]


def runner(state: State, found: Runner) -> View:
    """A runner in a list."""
    status = contact_status(found.created_at, found.contacted_at, state.now())
    return {
        "id": found.id,
        "description": found.description,
        "ip_address": _latest(found).ip_address if found.managers else None,
        "active": not found.paused,
        "paused": found.paused,
        "is_shared": found.runner_type == "instance_type",
        "runner_type": found.runner_type,
        "name": _latest(found).info.get("name") if found.managers else None,
        "online": status == "online",
        "status": found.status(state.now()),
        "created_at": stamp(found.created_at),
        "locked": found.locked,
    }


def runner_details(state: State, found: Runner) -> View:
    """A runner by itself."""
    info = _latest(found).info if found.managers else {}
    return {
        **runner(state, found),
        "tag_list": found.tag_list,
        "run_untagged": found.run_untagged,
        "maximum_timeout": found.maximum_timeout,
        "access_level": found.access_level,
        "version": info.get("version"),
        "revision": info.get("revision"),
        "platform": info.get("platform"),
        "architecture": info.get("architecture"),
        "contacted_at": stamp(found.contacted_at),
        "maintenance_note": found.maintenance_note,
        "token_expires_at": stamp(found.token_expires_at),
        "projects": [project(state, state.projects[number]) for number in found.project_ids],
        "groups": [{"id": number, "path": GROUPS[number]} for number in found.group_ids],
    }


def manager(state: State, found: Manager) -> View:
    """A process behind a runner."""
    return {
        "id": found.id,
        "system_id": found.system_id,
        **{key: found.info.get(key) for key in ("version", "revision", "platform", "architecture")},
        "created_at": stamp(found.created_at),
        "contacted_at": stamp(found.contacted_at),
        "ip_address": found.ip_address,
        "status": contact_status(found.created_at, found.contacted_at, state.now()),
    }


def project(state: State, found: Project) -> View:
    """A project."""
    return {
        "id": found.id,
        "name": found.name,
        "path": found.name,
        "name_with_namespace": found.path.replace("/", " / "),
        "path_with_namespace": found.path,
        "default_branch": "main",
        "web_url": f"{state.url}/{found.path}",
        "http_url_to_repo": f"{state.url}/{found.path}.git",
    }


def job(state: State, found: Job) -> View:
    """A job; its trace has an endpoint of its own."""
    owner = state.runners.get(found.runner_id or 0)
    process = owner.managers.get(found.system_id or "") if owner else None
    where = state.projects[found.project_id]
    end = found.finished_at or state.now()
    return {
        "id": found.id,
        "status": found.status,
        "stage": "test",
        "name": found.name,
        "ref": "main",
        "tag": False,
        "allow_failure": False,
        "created_at": stamp(found.created_at),
        "started_at": stamp(found.started_at),
        "finished_at": stamp(found.finished_at),
        "duration": end - found.started_at if found.started_at else None,
        "queued_duration": (found.started_at or end) - found.created_at,
        "failure_reason": found.failure_reason,
        "tag_list": found.tags,
        "web_url": f"{state.url}/{where.path}/-/jobs/{found.id}",
        "project": project(state, where),
        "pipeline": {
            "id": found.id,
            "project_id": where.id,
            "ref": "main",
            "sha": commit(found),
        },
        "runner": runner(state, owner) if owner else None,
        "runner_manager": manager(state, process) if process else None,
    }


def _latest(found: Runner) -> Manager:
    return max(found.managers.values(), key=lambda process: process.contacted_at)
