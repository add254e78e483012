"""What the judges are asked: much of every kind, the same in each run."""

import random

ARGS: tuple[dict[str, str], ...] = ({}, {"V": "1"}, {"V": ""}, {"V": "v2", "W": "3"}, {"TARGETARCH": "arm64"})  # fmt: skip
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
HEADS = (
    "", "", "", "# syntax=docker/dockerfile:1\n", "# escape=`\n", "#escape=\\\n", "\ufeff", "#check=skip=all\n# escape = ` \n",
    "\n# escape=`\n", " # escape=`\n", "# syntax=a\n# foo=b\n# escape=`\n",
)  # fmt: skip
FROMS = (
    "FROM a", "FROM b:1 AS x", "FROM\tc", "from d as Y", "FROM x", "FROM y", "FROM z", "FROM rt-${TARGETARCH}", "FROM rt-$TARGETARCH$TARGETVARIANT",
    "FROM --platform=$BUILDPLATFORM e AS bld", "FROM e AS rt-amd64", "FROM f AS rt-arm64", "FROM g AS rt-armv7", "FROM scratch", "FROM scratch AS s",
    "FROM ${V}", "FROM ${V:-dv}", "FROM ${V-dv}", "FROM ${V:+p}q", "FROM ${V+p}q", "FROM ${V#v*}q", "FROM ${V##v*}q", "FROM ${V%2*}", "FROM ${V%%2*}q",
    "FROM ${V/2/b}", "FROM ${V//2/b}", "FROM $V:$W", "FROM 'q':1", 'FROM "q$V"', "FROM q\\a", "FROM \\\n  g AS h", "FROM a \\\n # c\n\n AS k", "FROM l AS \\\nm",
    f"FROM a@sha256:{'a' * 64}", "FROM registry:5000/a/b:1 AS r", "FROM docker.io/library/debian:12", "FROM debian AS debian", "FROM 0",
)  # fmt: skip
ARGUMENTS = (
    "ARG V", "ARG V=v22", "ARG V=v22 W=w", "ARG W='w'", 'ARG W="$V"', "ARG V=$TARGETARCH", "ARG V=${W:-${V:-z}}", "ARG W=a\\ b", "arg W=ww",
)  # fmt: skip
REST = (
    "COPY --from=x / /", "COPY --from=0 / /", "COPY --from=1 / /", "COPY --from=h:2 / /", "copy --from=X a b", "COPY --from=scratch a b",
    'COPY --chown=1 --from="i" a b', "COPY a b", "COPY --from=bld --link a b", "ADD a b", "COPY --from=s a b", "COPY --from=r a b", "COPY --from=$V a b",
    "RUN --mount=from=x true", "RUN --mount=type=bind,from=j:1,target=/m true", "RUN --mount=type=cache,target=/c --mount=FROM=k,target=/q true",
    'RUN --mount="type=bind,from=l,target=/x" true', "RUN --mount=from=0,target=/z true", "RUN --mount=type=secret,id=a true", "RUN --mount=from=$V,target=/x true",
    "RUN cat <<<hello", "RUN echo $((1<<3))", "RUN <<EOF\nFROM no\nEOF", "RUN <<-EOF\n\tFROM no\n\tEOF", "RUN <<'E F'\nFROM no\nE F", 'RUN <<"EOF"\nFROM no\nEOF',
    "RUN cat << EOF\nFROM no\nEOF", "RUN 3<<EOF\nFROM no\nEOF", "COPY <<a <<b /x\nFROM no\na\nFROM no2\nb", 'RUN echo "<<EOF"', "RUN echo '<<EOF'",
    "RUN echo \\<<EOF", 'RUN ["a","<<EOF"]', "RUN echo a<<EOF", "RUN cat <<E$X\nFROM no\nE$X", "RUN cat <<E${X:-b}\nFROM no\n${X:-b}", "RUN cat <<E\\F\nFROM no\nEF",
    "COPY <<E /x\r\nFROM no\r\nE\r", "RUN <<A cat <<B\nA\nFROM no\nB\nFROM no\nB", "ONBUILD COPY --from=o / /", "ONBUILD RUN --mount=from=p,target=/t true",
    "ONBUILD COPY --from=x / /", "ONBUILD RUN <<EOF\nFROM no\nEOF", "onbuild copy --from=w / /", "# FROM no", "  # FROM no \\", "RUN a \\\n# FROM no\n && b",
    "RUN a \\\n\n\n b", "RUN a \\  \n b", "RUN a \\\\\nCMD x", 'CMD ["a"]', "LABEL a=b", "ENV V=x", "RUN `a`", "RUN a `\nCMD y", "", "   ", "\tRUN x",
    "RUN a\u00a0\\\n b", "USER a", "RUN --network=none true", "HEALTHCHECK NONE", "EXPOSE 1",
)  # fmt: skip
WORDS = (
    "$", "{", "}", "V", "W", ":", "-", "+", "?", "#", "%", "/", "*", "a", "2", "'", '"', "\\", " ", "\t", "<", "_", "@", "v22", "`", "${V", "${V%", "${V#", "${V/", "é", "\u2003",
)  # fmt: skip
FILES = (
    ".tmp", "a.tmp", "a", "ab", "[a]", "a*", "é", "^a", "!b", "#c", "a b/c", "b/a.json", "b/c/a.json", "b/c/ab/.tmp", "b/c/d1/x-y", "c/a.tmp/(a)",
    "c/b/a", "c/-", "a.b.c/A", "d1/a]", ".dockerignore", "Dockerfile", "pkg/x/a.json", "pkg/x/b", "pkg/y.json",
)  # fmt: skip
LINES = ("*\n!pkg/*/*.json", "**.tmp", "*\n!b", "b/**\n!b/c/**", "*\n!**/*.json", "a*\r\n!ab\r", "\ufeffa", "b\n!b/c\nb", "bin\\Debug", "**/b/**/a*", "!a\na", "/a/", "..", "./b/../a")  # fmt: skip
PIECES = (
    "a", "b", "c", "*", "**", "/", "?", "!", ".", "..", ".tmp", "json", "[", "]", "[^a]", "[a-c]", "\\", "^", "-", " ", "#", "\t", "é", "**/", "/**", "\\*",
    "\\d", "[[:alpha:]]", "[\\w]", "$", "(", "x-y", "\r", "\\]", "[]", "[*]", "[?]", "[a-]", "[!a]", "pkg/",
)  # fmt: skip
DIGEST = f"sha256:{'a' * 64}"
NAMES = (
    "debian", "library/debian", "docker.io/debian", "docker.io/library/debian", "index.docker.io/debian", "index.docker.io/library/x", "localhost/x",
    "localhost:5000/a/b", "h:5000/x", "[::1]:80/x", "[fe80::1]/x", "Foo/bar", "foo/Bar", "foo.bar/x", "a/b/c", "library/a/b", "docker.io/a/b",
    "docker.io/library/a/b", "docker.io", "a..b", "a__b", "a___b", "a--b", "-a", "a-", "_a", "REG.example/x", "a" * 256, f"a/{'b' * 254}", "f" * 64, "x@y", "",
    "a/", "/a", "a//b", "ä", "a b", "127.0.0.1/x", "DOCKER.IO/x", "docker.io:443/library/x", "localhost", "LOCALHOST/x", "h:/x", "a.b__c/x", "Debian",
)  # fmt: skip
ENDS = (
    "", ":12", ":latest", f":{'t' * 128}", f":{'t' * 129}", ":-x", ":_x", ":a/b", ":a:b", ":", f"@{DIGEST}", f":1@{DIGEST}", "@sha256:abc", f"@sha512:{'a' * 128}",
    f"@md5:{'a' * 32}", f"@{DIGEST}:1", "@",
)  # fmt: skip


def dockerfiles(number: int) -> list[dict[str, object]]:
    """Dockerfiles with arguments and a platform."""
    choice = random.Random(number)
    found: list[dict[str, object]] = []
    for count in range(number):
        lines = choice.choices(FROMS + ARGUMENTS + REST, k=choice.randint(1, 8))
        head = [*choice.sample(ARGUMENTS, choice.randint(0, 2)), choice.choice(FROMS)]
        text = choice.choice(HEADS) + choice.choice(["\n", "\n", "\r\n"]).join(head + lines)
        if count % 3 == 0:
            word = "".join(choice.choices(WORDS, k=choice.randint(1, 8)))
            text = choice.choice((
                f"ARG V=v22\nARG W={word}\nFROM x$W\n",
                f"ARG V=a2b2c\nFROM q{word}\nRUN x\n",
                f"FROM a\nRUN cat <<{word}\nCOPY --from=b / /\n{word}\nCOPY --from=c / /\n",
                f"FROM a\nRUN {word} <<-a x\nCOPY --from=b / /\n\ta\nCOPY --from=c / /\n",
            ))  # fmt: skip
        found.append({"text": text, "args": choice.choice(ARGS), "platform": choice.choice(PLATFORMS)})  # fmt: skip
    return found


def ignores(number: int) -> list[str]:
    """Texts of .dockerignore."""
    choice = random.Random(number)
    found = list(LINES)
    for _ in range(number):
        lines = ["".join(choice.choices(PIECES, k=choice.randint(1, 4))) for _ in range(choice.randint(1, 4))]  # fmt: skip
        lines = [f"!{line}" if choice.random() < 0.3 else line for line in lines]
        found.append("\n".join([*choice.sample(["*", "**", "a", "*/*", "b*"], choice.randint(0, 1)), *lines]))  # fmt: skip
    return found


def references() -> list[str]:
    """Names of images."""
    return [name + end for name in NAMES for end in ENDS]


HOSTS = (
    "a.b", "b", "x.a.b", "ab", "gitlab.example.com", "GitLab.Example.com", "10.0.0.5", "172.17.3.4", "127.0.0.1", "localhost", "[::1]",
    "[fe80::1]", "[2001:db8::5]", "docker", "foo.localhost", "127.1.2.3", "192.168.1.300", "1.2.3",
)  # fmt: skip
BYPASSES = (
    "a.b", ".a.b", "*.a.b", "*a.b", "b", "B", "*", "", "10.0.0.0/8", "10.0.0.5", "10.0.0.5:443", "10.0.0.5:80", "a.b:80", "a.b:8443",
    ".a.b:443", "[::1]", "[2001:db8::5]:443", "2001:db8::5", "2001:db8::/32", "172.16.0.0/12", "172.17.3.4/24", " a.b ", "example.com",
    "gitlab.example.com:443", "localhost", "docker:", "10.0.0.0/33", "a.b/8", "..", "*.", "010.0.0.5", "10.0.0", ":80", "[a.b]:443",
    "a:b:c", "a.b.", "192.168.1.300", "10.0.0.0/08", "fe80::1", "*.*",
)  # fmt: skip


def around(number: int) -> list[dict[str, str]]:
    """Addresses, and what NO_PROXY names."""
    choice = random.Random(number)
    every = [(host, [word]) for host in HOSTS for word in BYPASSES]
    every += [
        (choice.choice(HOSTS), choice.choices(BYPASSES, k=choice.randint(0, 3)))
        for _ in range(number)
    ]
    return [
        {
            "url": f"{choice.choice(['http', 'https'])}://{host}{choice.choice(['', ':443', ':8443'])}/x",
            "words": ",".join(words),
        }
        for host, words in every
    ]
