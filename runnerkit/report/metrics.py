"""The files that a Prometheus and a Grafana need, and what to do with them."""

from runnerkit.fleet.health.metrics import Written
from runnerkit.place import typed
from runnerkit.report.page import Page

NEXT = (
    "next: prometheus --config.file={folder}/prometheus.yml, or take over its rule_files and job; import "
    "gitlab-runner.dashboard.json in Grafana",
    "next: a host that answers itself alone is reached by the tunnel that gitlab-runner.hosts.yml names",
)


def written(files: list[Written]) -> Page:
    """The files; the exit code is always 0."""
    lines = [f"{'wrote' if one.changed else 'unchanged'}  {one.path}" for one in files]
    data = [{"path": str(one.path), "changed": one.changed} for one in files]
    notes = [typed(line.format(folder=files[0].path.parent)) for line in NEXT]
    return Page(lines, {"files": data}, notes if any(one.changed for one in files) else ())
