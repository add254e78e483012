"""What keys of the settings hold: names and images, by the grammar of those who read them."""

from typing import Annotated

from msgspec import Meta

from runnerkit.images.reference import GRAMMAR, PATH

_KIND = "image, like debian:bookworm"
Reference = Annotated[str, Meta(pattern=rf"^{GRAMMAR}$", title=_KIND)]
ReferenceOrNone = Annotated[str, Meta(pattern=rf"^(?:{GRAMMAR})?$", title=_KIND)]
# With variables that the runner or the builder fills in.
ImageOrVariable = Annotated[str, Meta(pattern=rf"^(?:{GRAMMAR}|.*\$.*)?$", title=_KIND)]
ImageName = Annotated[
    str,
    Meta(
        pattern=rf"^{PATH.pattern}$",
        description="a name of an image: small letters and digits, with . _ - or / between them",
    ),
]
_REGISTRY = r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[a-f0-9:]+\])(?::[0-9]+)?"
Registry = Annotated[
    str,
    Meta(
        pattern=rf"^{_REGISTRY}\Z",
        description="a registry as images name it, in small letters: registry.example.com:5000",
    ),
]
Prefix = Annotated[
    str,
    Meta(
        pattern=rf"^{_REGISTRY}(?:/{PATH.pattern})?\Z",
        description="how images' names begin at a mirror: m.example.com/registry.gitlab.com",
    ),
]
SocketOrNone = Annotated[
    str,
    Meta(
        pattern=r"^(?:(?:\d{1,3}(?:\.\d{1,3}){3}|\[[a-f0-9:]+\]):\d{1,5})?\Z",
        description="an IP address of the host and a port: 127.0.0.1:9252",
    ),
]
HostName = Annotated[
    str,
    Meta(
        pattern=r"^(?!all$)[^\s,*?\[\]@]+$",
        description="a name for a host: not all, and without space , * ? [ ] @",
    ),
]
