"""What a registry is worth to a host, in a word, by all that it and others have answered.

Docker itself only tells that nothing came: a mirror that answers at /v2/ may still refuse each image,
have none left to give, or serve what was right last year.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from runnerkit.facts.probe import Served
from runnerkit.images.reference import HUB
from runnerkit.redact import mask, plain

MOST = 3  # mirrors that are chosen
SLOW = 100_000  # bytes a second: an image of 500 MB takes more than an hour
JUDGED = 1.0  # seconds that less than that must have taken, to tell anything of speed
WHERE = {"manifest": "its manifest", "blob": "its layers", "token": "a token", "door": "/v2/"}
TROUBLES = {
    "name": "the host does not know its name",
    "silence": "no answer in time",
    "nonsense": "it does not speak HTTP there",
}
UNTOLD = (
    "others serve another image by that name, and none says which is right: pin it by its digest"
)


class Word(StrEnum):
    """From the best to the worst."""

    GOOD = "good"
    SLOW = "slow"
    STALE = "stale"
    LACKS = "no such image"
    ALLOWLIST = "allowlist"
    QUOTA = "quota"
    TOKEN = "no token service"
    DEAD = "dead"


SERVES = (Word.GOOD, Word.SLOW)


@dataclass(frozen=True)
class Judgement:
    """One image at one registry; `sure` is whether its digest is one that somebody else confirms."""

    served: Served
    word: Word
    why: str = ""
    sure: bool = False

    @property
    def speed(self) -> int:
        """Bytes a second; 0 where nothing came, or too little to tell."""
        one = self.served
        return round(one.sample / max(one.reply.seconds, 0.001)) if self.word in SERVES else 0


@dataclass(frozen=True)
class Rating:
    """One registry: the worst word of its images, its speed in bytes a second, and whether others
    confirm all that it serves."""

    registry: str
    word: Word
    speed: int
    sure: bool
    judgements: tuple[Judgement, ...]


def word(one: Served) -> Word:
    """By its own answers alone."""
    status = one.reply.status
    if status in (402, 429):
        return Word.QUOTA
    if one.reply.trouble == "forgery":
        return Word.STALE
    if one.reply.trouble == "processor":
        return Word.LACKS
    if one.step == "token":
        return Word.TOKEN
    if not one.step:
        seconds = one.reply.seconds
        return Word.SLOW if seconds > JUDGED and one.sample / seconds < SLOW else Word.GOOD
    if one.reply.trouble or one.step == "door":
        return Word.DEAD
    # Docker Hub does not tell whether there is none, or one that is private.
    absent = (404, 401, 403) if one.registry == HUB else (404,)
    if one.step == "manifest" and status in absent:
        return Word.LACKS
    return Word.ALLOWLIST if status in (401, 403, 451) else Word.DEAD


def why(one: Served) -> str:
    """The reason of a word that is not good."""
    reply = one.reply
    words = mask(plain(reply.why)).replace("\n", " ").strip()[:200]
    if reply.trouble:
        known = TROUBLES.get(reply.trouble) or words or reply.trouble
        where = "its token service is" if one.step == "token" else "its layers lie at"
        return f"{where} {mask(reply.place)}: {known}" if reply.place else known
    if not one.step:
        return f"{one.sample} bytes in {reply.seconds:.1f} s"
    return f"status {reply.status} for {WHERE[one.step]}" + (f", {words}" if words else "")


def judged(served: Iterable[Served]) -> tuple[Judgement, ...]:
    """By what all of them serve: that which a digest, Docker Hub or most of the others confirm."""
    every = tuple(served)
    right = {image: _right(every, image) for image in {one.image for one in every}}
    return tuple(_compared(one, *right[one.image]) for one in every)


def _right(served: Sequence[Served], image: str) -> tuple[str, bool]:
    """The digest that an image should have, "" where that is not known, and whether those differ
    that serve it."""
    known = [one for one in served if one.image == image and one.digest]
    # One that refuses its layers makes no other stale by itself: nothing comes from it.
    usable = {one.digest for one in known if word(one) in SERVES}
    digests = Counter(one.digest for one in known)
    hub = next((one.digest for one in known if one.registry == HUB), "")
    first, second = (*(number for _, number in digests.most_common(2)), 0, 0)[:2]
    most = digests.most_common(1)[0][0] if first > max(second, 1) else ""
    return hub or most, len(usable) > 1


def _compared(one: Served, right: str, differ: bool) -> Judgement:
    alone = word(one)
    reason = "" if alone is Word.GOOD else why(one)
    if alone not in SERVES:
        return Judgement(one, alone, reason)
    if "@" in one.image:  # what came has that digest
        return Judgement(one, alone, reason, sure=True)
    if right and one.digest != right:
        return Judgement(one, Word.STALE, "others serve another image by that name")
    if differ and not right:
        return Judgement(one, Word.STALE, UNTOLD)
    return Judgement(one, alone, reason, sure=bool(right))


def ratings(served: Iterable[Served]) -> tuple[Rating, ...]:
    """Each registry's, in the order of their words and speeds, Docker Hub's own last."""
    every = judged(served)
    names = dict.fromkeys(one.served.registry for one in every)
    found = [_rating(name, [one for one in every if one.served.registry == name]) for name in names]
    return tuple(sorted(found, key=_order))


def together(hosts: Sequence[Sequence[Rating]]) -> tuple[Rating, ...]:
    """The same of several hosts: of those registries that all have asked, the worst of each."""
    names = dict.fromkeys(one.registry for each in hosts for one in each)
    found = []
    for name in names:
        alike = [one for each in hosts for one in each if one.registry == name]
        if len(alike) == len(hosts):
            whole = _rating(name, [judgement for one in alike for judgement in one.judgements])
            found.append(replace(whole, speed=min(one.speed for one in alike)))
    return tuple(sorted(found, key=_order))


def _rating(name: str, judgements: Sequence[Judgement]) -> Rating:
    worst = max((one.word for one in judgements), key=list(Word).index)
    speed = max(one.speed for one in judgements)
    return Rating(name, worst, speed, all(one.sure for one in judgements), tuple(judgements))


def _order(one: Rating) -> tuple[bool, int, int]:
    return one.registry == HUB, list(Word).index(one.word), -one.speed


def choice(rated: Sequence[Rating], own: Collection[str]) -> tuple[str, ...]:
    """The mirrors that shall be used, the first first: none that fails for an image that is needed.

    Args:
        rated: what was found.
        own: those that somebody here has named. Others must have what they serve confirmed.
    """
    able = [one for one in rated if one.registry != HUB and (one.sure or one.registry in own)]
    good = [one.registry for one in able if one.word is Word.GOOD]
    return tuple(good or [one.registry for one in able if one.word is Word.SLOW])[:MOST]


def unserved(rated: Sequence[Rating], images: Iterable[str]) -> tuple[str, ...]:
    """The images that nobody serves."""
    served = {one.served.image for each in rated for one in each.judgements if one.word in SERVES}
    return tuple(one for one in images if one not in served)
