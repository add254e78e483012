"""A job's variables: where they come from, and how they expand."""

import re
from collections.abc import Mapping

from .. import version
from ..table import Table

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def gather(runner: Table, job: Table, project_dir: str, slot: int) -> dict[str, str]:
    """In the real program's order, the weakest first."""
    pairs = [pair.partition("=") for pair in runner.texts("environment")]
    own = {
        "CI_BUILDS_DIR": runner.text("builds_dir", "/builds"),
        "CI_PROJECT_DIR": project_dir,
        "CI_CONCURRENT_ID": str(slot),
        "CI_CONCURRENT_PROJECT_ID": str(slot),
        "CI_SERVER": "yes",
        "CI_JOB_STATUS": "running",
        "CI_JOB_TIMEOUT": str(job.table("runner_info").number("timeout")),
        "CI_DISPOSABLE_ENVIRONMENT": "true",
        "CI_RUNNER_VERSION": version.VERSION,
        "CI_RUNNER_REVISION": version.REVISION,
        "CI_RUNNER_EXECUTABLE_ARCH": f"linux/{version.ARCH}",
    }
    server = {item.text("key"): item.text("value") for item in job.tables("variables")}
    found = {**{key: value for key, _, value in pairs}, **own, **server}
    return {key: expanded(value, found) for key, value in found.items()}


def expanded(text: str, variables: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: variables.get(match[1] or match[2], ""), text)


def secrets(job: Table) -> list[str]:
    return [item.text("value") for item in job.tables("variables") if item.flag("masked")]
