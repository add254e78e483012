"""The end of a runner's pause, left to a host: a timer, and a token that may do no more than that."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.facts.pause import Pause
from runnerkit.files.write import Content, differing
from runnerkit.place import PROGRAMS, UNITS
from runnerkit.plan import Change, Hint, Script
from runnerkit.settings.secrets import Secret
from runnerkit.templates import render
from runnerkit.want import Want

FOLDER = "/var/lib/runnerkit/resume"
HINTS = (
    Hint(
        "(?i)curl.*not found",
        "install curl on the host: neither it nor the manager's image has one, to speak to GitLab",
    ),
    Hint(
        "GitLab answers the host by 40[134]",
        "GitLab refuses gitlab.resume_token: it needs the scope manage_runner, and an owner of the runner",
    ),
    Hint("", "systemctl status runnerkit-resume-* on the host tells more; nothing was paused"),
)


@dataclass(frozen=True)
class Places:
    """Where what ends the pause of a runner of that number is."""

    number: int

    @property
    def unit(self) -> str:
        return f"runnerkit-resume-{self.number}"

    @property
    def program(self) -> str:
        return f"{PROGRAMS}/resume-{self.number}"

    @property
    def secret(self) -> str:
        return f"{FOLDER}/{self.number}"

    @property
    def stamp(self) -> str:
        return f"/var/lib/systemd/timers/stamp-{self.unit}.timer"

    @property
    def enabled(self) -> str:
        return f"{UNITS}/timers.target.wants/{self.unit}.timer"

    @property
    def all(self) -> tuple[str, ...]:
        units = (f"{UNITS}/{self.unit}.service", f"{UNITS}/{self.unit}.timer")
        return (self.secret, f"{self.secret}.put", self.program, *units)


@dataclass(frozen=True)
class Resume:
    """As a step: the host ends the pause of a runner at its time.

    Args:
        number: the runner's, at GitLab.
        pause: as its note will tell of it.
        note: the note as it was before.
        token: may change the runner.
    """

    number: int
    pause: Pause
    note: str
    token: Secret

    def needs(self, want: Want) -> Needs:
        places = Places(self.number)
        units = (f"{places.unit}.timer",)
        return Needs(files=(*places.all, places.enabled), units=units, manager=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if not have.systemd:
            raise KitError("the host has no systemd, whose timer would end the pause", "")
        places, wanted = Places(self.number), self._files(want)
        written = list(differing(wanted, have.files))
        title = f"write {{}}, to end the pause of runner #{self.number}"
        yield from (
            replace(one, title=title.format(one.title.removeprefix("write ")), diff="")
            for one in written
        )
        state = have.units.get(f"{places.unit}.timer")
        if written or places.enabled not in have.files or state != "active":
            start = f"""set -e
/bin/sh {places.program} try
systemctl daemon-reload
systemctl enable {places.unit}.timer
systemctl restart {places.unit}.timer"""
            yield Script(f"start {places.unit}.timer", start, hints=HINTS)

    def _files(self, want: Want) -> dict[str, Content]:
        places, host = Places(self.number), urlsplit(want.url).hostname
        body = json.dumps({"paused": False, "maintenance_note": self.note})
        secret = {
            "url": f"{want.url}/api/v4/runners/{self.number}",
            "header": f"PRIVATE-TOKEN: {self.token.reveal()}",
        }
        put = {"request": "PUT", "header": "Content-Type: application/json", "data": body}
        program = render(
            "resume.sh.j2",
            want=want,
            place=places.secret,
            unit=places.unit,
            units=UNITS,
            stamp=places.stamp,
            mark=f"runnerkit paused until {self.pause.until}",
            ca=f"{want.manager.config_dir}/certs/{host}.crt",
            inside=f"/etc/gitlab-runner/certs/{host}.crt",
        )
        service = render("resume.service.j2", number=self.number, program=places.program)
        when = self.pause.until.replace("T", " ").replace("Z", " UTC")
        timer = render("resume.timer.j2", number=self.number, when=when)
        texts = (_curl(secret), _curl(put), program, service, timer)
        modes = (0o600, 0o600, 0o700, 0o644, 0o644)  # the program has the variables of proxies
        return {
            path: Content(text, mode)
            for path, text, mode in zip(places.all, texts, modes, strict=True)
        }


@dataclass(frozen=True)
class Left:
    """As a step: the host ends the pause of that runner no longer."""

    number: int

    def needs(self, want: Want) -> Needs:
        return Needs(files=Places(self.number).all)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        places = Places(self.number)
        if not any(path in have.files for path in places.all):
            return
        text = f"""set -e
rm -f {places.secret} {places.secret}.put
systemctl disable --now {places.unit}.timer || :
rm -f {" ".join(places.all)} {places.stamp}
systemctl daemon-reload
rmdir {FOLDER} {PROGRAMS} 2>/dev/null || :"""
        yield Script(f"remove {places.unit}.timer and its token", text)


def _curl(options: dict[str, str]) -> str:
    """A configuration file of curl's."""
    return "".join(
        f'{key} = "{value.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"\n'
        for key, value in options.items()
    )
