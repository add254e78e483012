"""Why a job failed: what GitLab tells of it, or the log of the manager that had it."""

import re
import shlex
from dataclasses import dataclass, replace

from runnerkit.checks.jobs.messages import Recognized, recognized
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.facts.look import parse, script
from runnerkit.files import config_toml
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.gitlab.jobs import JobServer
from runnerkit.redact import mask
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, bare

LIMIT = 60.0  # seconds that a host is waited for
LINES = 200  # of a manager's log, about one job
# A project's id or path; what is no name would be another address of GitLab's.
PROJECT = re.compile(r"[0-9]{1,18}|(?!\.{1,2}/)[\w.-]+(?:/(?!\.{1,2}(?:/|$))[\w.-]+)+", re.ASCII)
STUCK = "This job is stuck"  # GitLab's page says so of one that waits, its API does not


@dataclass(frozen=True)
class JobRef:
    """A job by its id, and its project's path where its address was given."""

    number: int
    project: str = ""


@dataclass(frozen=True)
class JobLog:
    """A job, as far as it is known; `here` is whether this host's manager had it.

    `status` and `reason` are GitLab's words; of the manager's log alone they are what it says.
    """

    number: int
    here: bool
    status: str = ""
    reason: str = ""
    runner: str = ""
    project: str = ""
    url: str = ""
    recognized: tuple[Recognized, ...] = ()


def reference(text: str, url: str) -> JobRef:
    """What ``--job`` names.

    Raises:
        KitError: it is neither a job's id nor its address at this GitLab.
    """
    if re.fullmatch("[0-9]{1,18}", text):
        return JobRef(int(text))
    path = re.fullmatch(r"(.{1,500}?)/(?:-/)?jobs/([0-9]{1,18})(?:[/?#].*)?", text)
    if path and path[1].lower().startswith(f"{bare(url).lower()}/"):
        project = path[1][len(bare(url)) + 1 :]
        if PROJECT.fullmatch(project):
            return JobRef(int(path[2]), project)
    raise KitError(
        f"--job {text[:100]} is neither a job's id nor the address of one at {url}",
        "give the number that stands after jobs/ in the job's address, or that address",
    )


def explain(fleet: Fleet, job: str) -> list[Outcome[JobLog | None]]:
    """Look for a job on every host, and at GitLab where its API token is given.

    Args:
        fleet: the hosts of which one may have run it.
        job: its id or its address.
    """
    known, token = wants(fleet, empty=True)
    ref = reference(job, fleet.settings.gitlab.url)

    def work(host: Host, wanted: Want) -> JobLog | None:
        lines = host.look(_script(wanted.manager.container, ref.number)).splitlines()
        found = _of_manager(ref.number, [mask(line) for line in lines]) if lines else None
        try:
            return _of_gitlab(host, wanted, token, ref, found) if token else found
        except KitError as error:
            raise Unfinished(error, getattr(error, "result", found)) from None

    return fleet.each(known, work, token, limit=LIMIT)


def _script(container: str, number: int) -> str:
    """The manager's lines about the job: in its own form, with colours, or in JSON."""
    return (
        "esc=$(printf '\\033')\n"
        f'timeout 40 docker logs {shlex.quote(container)} 2>&1 | sed "s/$esc\\[[0-9;]*m//g" |\n'
        f"  grep -E '(^|[ ,{{])\"?job\"?[=:] ?{number}([ ,}}]|$)' | cut -c1-2000 | tail -n {LINES}\n"
    )


def _of_manager(number: int, lines: list[str]) -> JobLog:
    text = "\n".join(lines)
    status = "running"
    for line in lines:
        if "Job succeeded" in line:
            status = "success"
        elif "Job failed" in line:
            status = "failed"
    project = _field("project", text) or _path(_field("repo_url", text))
    reason = "runner_system_failure" if "Job failed (system failure)" in text else ""
    return JobLog(
        number,
        here=True,
        status=status,
        reason=reason,
        runner=_field("name", text),
        project=project if PROJECT.fullmatch(project) else "",
        recognized=recognized(text),
    )


def _field(name: str, text: str) -> str:
    """The last value that a log has for a field."""
    values = re.findall(rf'(?<![\w-])"?{name}"?[=:] ?"?([^\s",}}]{{1,300}})', text)
    return str(values[-1]) if values else ""


def _path(address: str) -> str:
    return re.sub(r"^\w+://[^/]*/|\.git$", "", address)


def _of_gitlab(
    host: Host, want: Want, token: Secret, ref: JobRef, found: JobLog | None
) -> JobLog | None:
    """The same as GitLab knows it, which knows more."""
    server = JobServer(want.url, token, ca=want.network.ca)
    have = _facts(host, want)
    project = (
        ref.project or (found.project if found else "") or _project(host, want, server, have, ref)
    )
    answer = server.job(project, ref.number) if project else None
    if answer is None:
        return found
    manager, owner = answer.runner_manager, answer.runner
    here = bool(found) or bool(manager and manager.system_id == config_toml.system_id(want, have))
    reason = answer.failure_reason or ""
    words = [STUCK] if answer.status == "pending" else [reason] if reason else []
    told = JobLog(
        ref.number,
        here,
        status=answer.status,
        reason=reason,
        runner=(owner.description or str(owner.id)) if owner else "",
        project=_path(answer.web_url).partition("/-/jobs/")[0] or project,
        url=answer.web_url,
        recognized=found.recognized if found else (),
    )
    try:
        log = server.trace(project, ref.number)
    except KitError as error:
        raise Unfinished(error, told) from None
    causes = recognized(mask(log)) or recognized("\n".join(words))
    return replace(told, recognized=causes or told.recognized)


def _facts(host: Host, want: Want) -> Facts:
    needs = Needs(files=(want.config, want.system_id))
    return parse(host.look(script(needs, want.manager.container)))


def _project(host: Host, want: Want, server: JobServer, have: Facts, ref: JobRef) -> str:
    """The project of a job, from GitLab's lists of what this host's runners had."""
    for known in host.server(want, have).server.values():
        if project := server.project_of(known.id, ref.number):
            return project
    return ""
