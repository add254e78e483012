"""A runner's token on a host gives way to a new one; jobs that run have tokens of their own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec import structs

from runnerkit.facts import Facts, Needs
from runnerkit.files import change_over, config_toml, drained, memory, register, take_up
from runnerkit.files.write import NO_PREVIOUS, write_file
from runnerkit.plan import Change, Hint, Script
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, WantedRunner

HINTS = (
    Hint(
        "the new token is runner #",
        "the hosts' entries are of different runners: give the source in the settings the right token, "
        "and ./inv bootstrap changes them over",
    ),
    Hint(
        "status=403|[Ff]orbidden|check used token",
        "the token has ended, or somebody else has just renewed it: run again, and with GITLAB_TOKEN "
        "(gitlab.api_token) where it has ended",
    ),
    *register.HINTS,
)


@dataclass(frozen=True)
class Rotate:
    """As a step: every entry with the former token gets the runner's, of which nothing else changes.

    Args:
        runner: with the new token; where it renews itself, with the former.
        former: the one that goes.
        renews: whether the former gives itself a successor, by GitLab's answer to the host.
        number: whose token the new one must be, by GitLab's word to the host; 0 where that is known.
    """

    runner: WantedRunner
    former: Secret
    renews: bool = False
    number: int = 0

    def needs(self, want: Want) -> Needs:
        files = (want.config, f"{want.config}.previous", want.system_id, memory.PATH, drained.PATH)
        return Needs(files=files, manager=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if entries := self._entries(want, have):
            yield self._write(want, have, entries)
            return
        previous = have.files.get(f"{want.config}.previous")
        if previous and self.former.reveal() in previous.text:  # of a run that was cut off
            yield Script(
                f"remove {want.config}.previous, which has the former token",
                f"path={want.config}\n{NO_PREVIOUS}",
            )
        if not self.renews:
            yield from self._remember(want, have)

    def _entries(self, want: Want, have: Facts) -> list[int]:
        """Those that are still to change: a runner that was registered twice has two."""
        tokens = [one.get("token") for one in config_toml.parsed(want, have).get("runners", [])]
        new, former = self.runner.token, self.former.reveal()
        if found := [index for index, token in enumerate(tokens) if token == former]:
            return found
        if self.renews or new is None or new.reveal() in tokens:
            return []
        index = config_toml.entry_index(want, have, self.runner)
        return [] if index is None else [index]

    def _write(self, want: Want, have: Facts, entries: list[int]) -> Script:
        now, text = config_toml.parsed(want, have), have.files[want.config].text
        entry = now["runners"][entries[0]]
        name = str(entry.get("name", self.runner.key))
        # By another token it would take the machines of its autoscaler for strangers, and remove them.
        before, after = take_up.lines(want, have, now, "autoscaler" in entry)
        if before and not drained.parsed(have):
            after = f"docker start {want.manager.container} >/dev/null"
        own = _with_its_image(want, have)
        if self.renews:
            title = f"renew the token of runner {name}"
            keys = register.DATES
            # From then on the former is void: what others write meanwhile must not stop the new one.
            renewal = register.renewal(own, self.runner, change_over.PLACE)
            before = f"{before}\nsame\n{renewal}\nsame() {{ :; }}"
        else:
            title = f"give runner {name} its new token"
            keys = register.TOLD
            script = register.script(
                own, self.runner, name, place=change_over.PLACE, number=self.number
            )
            before = f"{script}\n{before}"
        for index in entries:
            text = change_over.vacated(text, index, keys)
        return replace(
            write_file(
                want.config,
                text,
                0o600,
                old=have.files[want.config].data,
                before=before,
                after=f"{NO_PREVIOUS}\n{after}",
            ),
            title=title,
            token=self.runner.key,
            hints=HINTS,
            reaches=register.reaches(want),
        )

    def _remember(self, want: Want, have: Facts) -> Iterator[Script]:
        """The token by which the kit knows what it registered."""
        index = config_toml.entry_index(want, have, self.runner)
        former = memory.digest(have, self.former.reveal())
        known = memory.parsed(have)
        records = [one for each in known.settings.values() for one in each.runners.values()]
        if index is None or former not in {one.token for one in records}:
            return
        entry = config_toml.parsed(want, have)["runners"][index]
        for one in records:
            if one.token == former:
                one.token = memory.digest(have, entry.get("token"))
        old = have.files[memory.PATH].data
        change = write_file(
            memory.PATH, memory.written(known), 0o600, old=old, after=NO_PREVIOUS, keep_owner=False
        )
        yield replace(change, title="remember the new token by its digest", diff="")


def _with_its_image(want: Want, have: Facts) -> Want:
    """The manager's own program, whichever the settings name now."""
    image = str(have.containers.get(want.manager.container, {}).get("Image", ""))
    if not image:
        return want
    return replace(want, manager=structs.replace(want.manager, image=image))
