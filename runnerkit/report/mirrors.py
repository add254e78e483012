"""What mirrors offer hosts: a line a mirror, and what was written."""

import json
from collections.abc import Iterator, Sequence

from runnerkit.checks.network.verdict import SERVES, Rating
from runnerkit.fleet.mirrors.probe import Offers, Survey
from runnerkit.fleet.run import Outcome
from runnerkit.images.reference import HUB
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table

CHOOSE = (
    "name a mirror that has them (mirror.probe --mirrors URL,…), or send them by image.ship from a host "
    "that has them"
)
ALONE = "nobody confirms its images: no digest, not Docker Hub, no other mirror"
PROXY = "its Docker goes by a proxy, and was not asked: this is what is found on the direct way"


def surveyed(survey: Survey) -> Page:
    """The exit code: 0 where every image is served by a mirror or Docker Hub on every host, else 1."""
    lines = [line for one in survey.outcomes for line in _host(one)]
    lines += list(_order(survey))
    data = of.hosts(survey.outcomes, _state, _data)
    data |= {"order": list(survey.order), "written": str(survey.file) if survey.file else None}
    unwell = any(one.result and one.result.unserved for one in survey.outcomes)
    messages = once([*_messages(survey.outcomes), *of.errors(survey.outcomes)])
    return Page(lines, data, messages, of.failed(survey.outcomes) or int(unwell))


def _state(one: Outcome[Offers]) -> str:
    return "unserved" if one.result and one.result.unserved else "ok"


def _host(one: Outcome[Offers]) -> Iterator[str]:
    if found := one.result:
        origins = {each.address: each.origin for each in found.candidates}
        yield f"{one.host}: {', '.join(found.images) or 'nothing of Docker Hub is needed'}"
        rows = [
            (f"  {each.registry}", origins.get(each.registry, "-"), each.word, _speed(each), why)
            for each in found.ratings
            for why in ["; ".join(_reasons(each))]
        ]
        yield from table(("  mirror", "named by", "is", "speed", "why"), rows)


def _speed(one: Rating) -> str:
    return f"{one.speed / 1e6:.1f} MB/s" if one.speed else "-"


def _reasons(one: Rating) -> Iterator[str]:
    """Why it is not good, the images that fare alike together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in one.judgements:
        if each.why:
            reasons.setdefault((each.word, each.why), []).append(each.served.image)
    for (word, why), images in reasons.items():
        every = len(images) == len(one.judgements)
        other = f"{word}, " if word != one.word else ""
        yield f"{other}{why}" if every else f"{', '.join(images)}: {other}{why}"
    if one.word in SERVES and not one.sure and one.registry != HUB:
        yield ALONE


def _order(survey: Survey) -> Iterator[str]:
    if any(one.error for one in survey.outcomes):
        return
    if survey.file:
        yield f"{survey.file} now has [docker] registry_mirrors = {_list(survey.order)}"
    elif not survey.order:
        yield "no mirror serves all of it" + ("; nothing was written" if survey.wanted else "")
    elif survey.order == survey.settings:
        more = "; there is nothing to write" if survey.wanted else ""
        yield f"the settings name the mirrors that serve all of it, in this order{more}"
    else:
        yield f"--write would write [docker] registry_mirrors = {_list(survey.order)}"


def _list(order: Sequence[str]) -> str:
    return json.dumps(order)


def _messages(outcomes: Sequence[Outcome[Offers]]) -> Iterator[tuple[str, str, str, str]]:
    for one in outcomes:
        if not (found := one.result):
            continue
        if found.others:
            yield (
                "note",
                one.host,
                f"not Docker Hub's, so no mirror's: {', '.join(found.others)}",
                "",
            )
        if found.proxied:
            yield "note", one.host, PROXY, ""
        if found.unserved:
            what = f"neither a mirror nor Docker Hub serves {', '.join(found.unserved)}"
            yield "error", one.host, what, CHOOSE


def _data(one: Outcome[Offers]) -> dict[str, object]:
    found = one.result
    if not found:
        return {"mirrors": [], "unserved": [], "others": []}
    named = {each.address: each for each in found.candidates}
    mirrors = [
        {
            "mirror": each.registry,
            "origin": named[each.registry].origin if each.registry in named else "",
            "note": named[each.registry].note if each.registry in named else "",
            "word": each.word,
            "speed": each.speed,
            "confirmed": each.sure,
            "images": [
                {
                    "image": j.served.image,
                    "word": j.word,
                    "why": j.why,
                    "digest": j.served.digest,
                    "speed": j.speed,
                }
                for j in each.judgements
            ],
        }
        for each in found.ratings
    ]
    return {"mirrors": mirrors, "unserved": list(found.unserved), "others": list(found.others)}
