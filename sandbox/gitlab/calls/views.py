"""Runners, managers, projects and jobs as the administrators' API shows them: without tokens."""

from sandbox.gitlab.model import Job, Manager, Runner, contact_status, stamp
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
        "projects": [{"id": number} for number in found.project_ids],
        "groups": [{"id": number} for number in found.group_ids],
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


def job(state: State, found: Job) -> View:
    """A job; its trace is not among it."""
    owner = state.runners.get(found.runner_id or 0)
    project = state.projects[found.project_id]
    end = found.finished_at or state.now()
    return {
        "id": found.id,
        "status": found.status,
        "name": found.name,
        "created_at": stamp(found.created_at),
        "started_at": stamp(found.started_at),
        "finished_at": stamp(found.finished_at),
        "duration": end - found.started_at if found.started_at else None,
        "failure_reason": found.failure_reason,
        "tag_list": found.tags,
        "web_url": f"{state.url}/{project.path}/-/jobs/{found.id}",
        "project": {"id": project.id, "path_with_namespace": project.path},
        "runner": runner(state, owner) if owner else None,
    }


def _latest(found: Runner) -> Manager:
    return max(found.managers.values(), key=lambda process: process.contacted_at)
