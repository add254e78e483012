"""config.toml can be read as what it is, and by nobody but root: it has the runners' tokens."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.want import Want

BROKEN = Kind("config-broken", Level.ERROR, "{what_is_wrong}", "{fix}")
OPEN = Kind(
    "config-open",
    Level.ERROR,
    "others than root may read {path} (mode {mode}), which has the runners' tokens",
    "chmod 600 {path} on the host; where others log in there, make new tokens too",
)
NAMELESS = Kind(
    "system-id-absent",
    Level.NOTE,
    "{path} is not there, or not as gitlab-runner writes it: at its next start the manager is a new one "
    "to GitLab",
    "nothing, where it never ran; else remove the old manager at GitLab, in the runner's page",
)
KINDS = (BROKEN, OPEN, NAMELESS)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config, want.system_id))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if (file := have.files.get(want.config)) is None:
        return
    if file.mode & 0o077:
        yield OPEN.found(path=want.config, mode=f"{file.mode:03o}")
    try:
        entries = config_toml.parsed(want, have).get("runners", [])
    except KitError as error:
        yield BROKEN.found(what_is_wrong=error.what, fix=error.fix)
        return
    if entries and not config_toml.system_id(want, have):
        yield NAMELESS.found(path=want.system_id)
