"""What a Dockerfile builds on: every image that it takes from elsewhere."""

import posixpath
import re
from collections.abc import Iterator, Mapping

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))")
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+[aA][sS]\s+(\S+))?")


def bases(text: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """The images named by FROM, COPY --from and RUN --mount from=, each once, in order.

    Args:
        text: the Dockerfile.
        args: build arguments; they win over the defaults of ARG.
    """
    stages: set[str] = set()
    found: dict[str, None] = {}
    known: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word == "ARG" and not stages:
            for name, _, default in (one.partition("=") for one in rest.split()):
                known[name] = args.get(name, _filled(default.strip("\"'"), known))
            continue
        if word == "FROM" and (match := _FROM.fullmatch(rest)):
            images = [_filled(match[1], known)]
            names = {match[2] or "", str(len(stages))}
        else:
            images, names = _borrowed(word, rest), set()
        taken = stages | {"scratch"} | {str(number) for number in range(len(stages))}
        found |= dict.fromkeys(i for i in images if i.lower() not in taken)
        stages |= {name.lower() for name in names if name}
    return tuple(found)


def _borrowed(word: str, rest: str) -> list[str]:
    if word in ("COPY", "ADD"):
        return re.findall(r"--from=(\S+)", rest)
    mounts = re.findall(r"--mount=(\S+)", rest) if word == "RUN" else []
    return [image for mount in mounts for image in re.findall(r"(?:^|,)from=([^,]+)", mount)]


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction with its lines joined; comments and the bodies of heredocs left out."""
    lines = iter(text.splitlines())
    for line in lines:
        whole = "" if line.lstrip().startswith("#") else line.strip()
        while whole.endswith("\\"):
            more = next(lines, "").strip()
            whole = whole if more.startswith("#") else f"{whole[:-1].rstrip()} {more}"
        for end in _HEREDOC.findall(whole) if whole[:3].upper() in ("RUN", "COP", "ADD") else ():
            for body in lines:
                if body.strip() == end:
                    break
        if whole:
            word, _, rest = whole.partition(" ")
            yield word.upper(), rest.strip()


def _filled(text: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        text = known.get(match[1] or match[4], "")
        if match[2] == "+":
            return match[3] if text else ""
        return text or (match[3] if match[2] else "")

    return _VARIABLE.sub(value, text)


def outside(text: str) -> str:
    """The first COPY or ADD of something outside the context; "" where there is none."""
    for word, rest in _instructions(text):
        if word in ("COPY", "ADD") and "--from=" not in rest:
            *sources, _ = [one for one in rest.split() if not one.startswith("--")] or [""]
            for source in sources:
                if posixpath.normpath(source.strip('[",').lstrip("/")).split("/")[0] == "..":
                    return f"{word} {source}"
    return ""
