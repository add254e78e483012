"""The host's programs know the proxy and the CA of the settings, each where it looks for them.

dockerd takes its own up by a restart, which is the step of daemon.json's.
"""

import shlex
from collections.abc import Iterator
from dataclasses import replace

from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json, outside
from runnerkit.files.write import Content, differing
from runnerkit.plan import Change, Hint, Script
from runnerkit.templates import render
from runnerkit.want import Want

HINTS = (Hint("", "mend on the host what is said above, then run again"),)


def needs(want: Want) -> Needs:
    files = (*outside.OF_DOCKERD, outside.APT, outside.authority(want), daemon_json.PATH)
    return Needs(files=files, paths=outside.STORES)


def changes(want: Want, have: Facts) -> Iterator[Change]:
    dockerd = outside.of_dockerd(want, have, daemon_json.parsed(have))
    others = outside.of_others(want, have)
    for path, content in {**dockerd, **others}.items():
        yield from _written(want, have, path, content)
    goes = outside.removals(want, have, others, (outside.APT, outside.authority(want)))
    if not want.runners or not have.docker_runs:
        goes += outside.removals(want, have, dockerd, outside.OF_DOCKERD)
    if goes:
        text = f"set -e\n{outside.removal(goes)}"
        if have.docker_runs and {*goes} & {*outside.OF_DOCKERD}:
            text += "\n" + render("restart-idle-docker.sh.j2")
        yield Script(f"remove {', '.join(goes)}", text, hints=HINTS)


def _written(want: Want, have: Facts, path: str, content: Content) -> Iterator[Script]:
    file = have.files.get(path)
    after = {outside.UNIT: outside.RELOADED}.get(path, "")
    after = outside.RENEWED if path in outside.AUTHORITIES else after
    if path != outside.authority(want):
        for write in differing({path: content}, have.files, after):
            names_it = path in (outside.VARIABLES, outside.APT)
            reaches = outside.named_anew(want, file.text if file else "") if names_it else ()
            yield replace(write, reaches=reaches)
        return
    if file and want.network.ca in file.text:  # whoever wrote it
        return
    for write in differing({path: content}, have.files):
        folder = f"mkdir -p -m 700 {shlex.quote(want.manager.config_dir)}\n"
        yield replace(write, text=folder + write.text)
