"""Why a job failed, and what a message means: the cause, the line that tells it, and the fix."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from runnerkit.checks.jobs.messages import Recognized, recognized
from runnerkit.errors import KitError
from runnerkit.redact import mask
from runnerkit.report import outcome as of
from runnerkit.report.page import GITLAB, Page, advice, once

if TYPE_CHECKING:
    from runnerkit.fleet.journals.job_logs import JobLog
    from runnerkit.fleet.run import Outcome

SHOWN = 200  # letters of a line
UNRECOGNIZED = KitError(
    "none of this is a message that the kit knows",
    "read the log above its last ERROR: what a job's own script says, the kit cannot tell; of a host, "
    "./inv doctor --host HOST looks at the rest",
)


def explained(message: str) -> Page:
    """What a message means (- for what stdin has); the exit code: 0, or 1 where it is not known."""
    if message == "-":
        message = sys.stdin.buffer.read().decode(errors="replace")
    causes = recognized(message)
    lines = [line for one in causes for line in _cause(one)] or _error(UNRECOGNIZED)
    return Page(lines, {"findings": _data(causes)}, (), int(not causes))


def shown(outcomes: "list[Outcome[JobLog | None]]", job: str) -> Page:
    """A job; the exit code: 0 where it went well or its cause is known, else 1."""
    logs = [(one.host, one.result) for one in outcomes if one.result]
    best = [(host, log) for host, log in logs if log.here] or [("", log) for _, log in logs[:1]]
    lines = [line for host, log in best for line in _job(host, log)]
    missing = KitError(
        f"job {job}: none of these hosts had it, as far as their managers' logs go back",
        "name all hosts (--host all); with GITLAB_TOKEN of scope read_api, and its address for the "
        "number, GitLab is asked too",
    )
    lines = lines or ([] if of.failed(outcomes) else _error(missing))
    data = of.hosts(outcomes, lambda one: "ok", lambda one: _fields(one.host, one.result))
    well = any(log.status != "failed" or log.recognized for _, log in best)
    return Page(lines, data, once(of.errors(outcomes)), of.failed(outcomes) or int(not well))


def _job(host: str, log: "JobLog") -> Iterator[str]:
    reason = f" ({log.reason})" if log.reason else ""
    runner = f", runner {log.runner}" if log.runner else ""
    where = f", host {host}" if host else ", on none of these hosts"
    yield f"job {log.number} of {log.project or 'an unknown project'}: {log.status}{reason}{runner}{where}"
    if log.url:
        yield f"  {log.url}"
    hosts = (host,) if host else ()
    for one in log.recognized:
        yield from _cause(one, "  ", *hosts)
    if log.status == "failed" and not log.recognized:
        yield from _error(UNRECOGNIZED, "  ", *hosts)


def _cause(one: Recognized, indent: str = "", *hosts: str) -> Iterator[str]:
    line = mask(one.line)
    yield f"{indent}{one.finding.level}: {one.finding.what}  [{one.finding.code}]"
    yield f"{indent}  in:  {line[:SHOWN]}{'…' if len(line) > SHOWN else ''}"
    yield f"{indent}  fix: {advice(one.finding.fix, *hosts)}"


def _error(error: KitError, indent: str = "", *hosts: str) -> list[str]:
    return [f"{indent}{error.what}", f"{indent}  fix: {advice(error.fix, *hosts)}"]


def _fields(host: str, log: "JobLog | None") -> dict[str, object]:
    if log is None:
        return {"job": None, "findings": []}
    names = ("number", "status", "reason", "runner", "project", "url", "here")
    return {
        "job": {name: getattr(log, name) for name in names},
        "findings": _data(log.recognized, host),
    }


def _data(causes: Iterable[Recognized], host: str = GITLAB) -> list[dict[str, str]]:
    return [
        {**data, "line": mask(one.line)}
        for one in causes
        for data in of.findings((one.finding,), host)
    ]
