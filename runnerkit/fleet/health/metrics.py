"""The files of a Prometheus and a Grafana, for the hosts of the settings."""

from dataclasses import dataclass
from pathlib import Path

from runnerkit.actions import metrics
from runnerkit.errors import KitError, text_of
from runnerkit.settings.model import Settings


@dataclass(frozen=True)
class Written:
    """A file that is as it should be, and whether it was so before."""

    path: Path
    changed: bool


def write(settings: Settings, folder: Path) -> list[Written]:
    """Write them into a folder, over those that it wrote itself and nobody changed.

    Raises:
        KitError: no host is named or none answers; or a file is somebody's own, and then none is written.
    """
    if not settings.hosts:
        raise KitError("no host is named", "write [hosts] into runnerkit.toml: names and addresses")
    if not settings.manager.metrics:
        raise KitError(
            "no manager answers a Prometheus",
            'set [manager] metrics = "127.0.0.1:9252" in runnerkit.toml, then ./inv bootstrap --host all',
        )
    hosts = {name: one.address for name, one in settings.hosts.items()}
    texts = {
        folder / name: text for name, text in metrics.files(hosts, settings.manager.metrics).items()
    }
    aside = "move it away, or name another folder; nothing was written"
    there = {path: text_of(path, aside) for path in texts if path.exists() or path.is_symlink()}
    for path, text in there.items():
        if text != texts[path] and not metrics.own(text):
            raise KitError(f"{path} is not as ./inv metrics wrote it", aside)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            if there.get(path) != text:
                new = path.with_name(f".{path.name}.new")  # a Prometheus may read it at any moment
                new.unlink(missing_ok=True)  # what is there may be somebody's link to elsewhere
                with new.open("x") as file:
                    file.write(text)
                new.replace(path)
    except OSError as error:
        raise KitError(
            f"{folder}: {error.strerror}", "name a folder that you may write to"
        ) from None
    return [Written(path, there.get(path) != text) for path, text in texts.items()]
