"""The way to a host, hop by hop, as ssh itself reads its settings.

How ssh makes its way by `ProxyJump a,b`: it logs in to b by `ssh -J a b`. What is given with -J
stands in the place of the hop's own ProxyJump, so that only that of the first one counts.
"""

import getpass
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.machine.ssh import settings
from runnerkit.machine.ssh.once import Once

CONNECT = 15.0  # seconds to connect, where ssh's settings say nothing
DEEPEST = 16  # jump hosts on the way to one host
SYSTEM = Path("/etc/ssh/ssh_config")
KEYS = ("rsa", "ecdsa", "ed25519")


@dataclass(frozen=True)
class Hop:
    """One login on the way: where to, as whom, by which keys, and `via`, the hop before it."""

    host: str
    port: int = 22
    user: str = ""
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    identity: str = ""  # the key that was asked for, tried first
    agent: str = ""  # its socket
    only_keys: bool = False  # of the agent's keys, those alone that are among `keys`
    known_as: str = ""  # HostKeyAlias
    known_hosts: tuple[str, ...] = ()
    new_keys: str = ""  # the file that takes a key that is new
    revoked: str = ""
    strict: str = "ask"
    timeout: float = CONNECT
    family: str = "any"
    source: str = ""  # the address to connect from
    command: str = ""  # ProxyCommand, ready to run
    via: "Hop | None" = None

    @property
    def where(self) -> str:
        """As people write it."""
        return f"{self.user}@{self.host}:{self.port}"


class SshSettings:
    """What ssh's settings say of hosts, each asked once.

    Args:
        known_hosts: a file of host keys in the place of the user's own, or "".
    """

    def __init__(self, known_hosts: str = "") -> None:
        self._known_hosts = known_hosts
        self._answer = Once(settings.answer)

    def hop(self, target: str, identity: str = "") -> Hop:
        """The way to ``[user@]address[:port]`` or an alias.

        Args:
            target: the host.
            identity: a private key's file that is tried first, or "".

        Raises:
            KitError: ssh refuses its settings or the target, or there is no ssh to read them.
        """
        return self._hop(target, "", identity, ())

    def _hop(self, target: str, jumps: str, identity: str, way: tuple[tuple[str, str], ...]) -> Hop:
        user, host, port = parts(target)
        if (target, jumps) in way or len(way) > DEEPEST:
            names = " → ".join([*(name for name, _ in way[-3:]), target])
            raise KitError(
                f"ssh's settings lead in a circle: {names}",
                f"write ProxyJump none for the host that is reached directly; see ssh -G {host}",
            )
        if not shutil.which("ssh"):
            return self._plain(user, host, port, identity)
        words = [f"-l{user}"] if user else []
        words += [f"-p{port}"] if port else []
        words += [f"-J{jumps}"] if jumps else []
        words += [f'-oIdentityFile="{identity.replace("%", "%%")}"'] if identity else []
        arguments = (*words, "--", host)
        answer = self._answer(arguments)
        one = {key: values[-1] for key, values in answer.items() if values[-1] != "none"}
        tokens = {"h": one["hostname"], "n": host, "p": one["port"], "r": one["user"], "%": "%"}
        if jump := settings.percent(one.get("proxyjump", ""), tokens, target):
            rest, _, last = jump.rpartition(",")
            via = self._hop(last, rest, "", (*way, (target, jumps)))
        else:
            via = None
        if "proxycommand" in one and not via and one.get("proxyusefdpass") == "yes":
            raise KitError(
                f"{target}: ProxyUseFdpass of ssh's settings is not followed here",
                f"give {host} a plain ProxyCommand, or a ProxyJump",
            )
        users = self._users(one.get("userknownhostsfile", ""))

        def expanded(key: str) -> tuple[str, ...]:
            values = (value for value in answer.get(key, ()) if value != "none")
            return tuple(settings.path(value, self._answer, arguments) for value in values)

        return Hop(
            host=one["hostname"],
            port=int(one["port"]),
            user=one["user"],
            keys=expanded("identityfile"),
            certificates=expanded("certificatefile"),
            identity=identity,
            agent=settings.agent(answer.get("identityagent", ())),
            only_keys=one.get("identitiesonly") == "yes",
            known_as=one.get("hostkeyalias", ""),
            known_hosts=(*users, *settings.paths(one.get("globalknownhostsfile", ""))),
            new_keys=next(iter(users), ""),
            revoked=next(iter(expanded("revokedhostkeys")), ""),
            strict=one.get("stricthostkeychecking", "ask"),
            timeout=float(one.get("connecttimeout", 0)) or CONNECT,  # 0 is ssh's word for none
            family=one.get("addressfamily", "any"),
            source=one.get("bindaddress", ""),
            command="" if via else settings.percent(one.get("proxycommand", ""), tokens, target),
            via=via,
        )

    def _plain(self, user: str, host: str, port: str, identity: str) -> Hop:
        """An address where there is no ssh: what its settings would say is not guessed."""
        for file in (Path("~/.ssh/config").expanduser(), SYSTEM):
            if file.is_file() and re.search(r"(?m)^\s*[^#\s]", file.read_text(errors="replace")):
                raise KitError(
                    f"{host}: there is no ssh on this machine to read {file}",
                    "install OpenSSH's client (openssh-client), or move that file away",
                )
        folder = Path("~/.ssh").expanduser()
        users = self._users(f"{folder}/known_hosts")
        return Hop(
            host=host,
            port=int(port or 22),
            user=user or getpass.getuser(),
            keys=(identity,) if identity else tuple(f"{folder}/id_{kind}" for kind in KEYS),
            identity=identity,
            agent=settings.agent([]),
            known_hosts=users,
            new_keys=users[0],
        )

    def _users(self, line: str) -> tuple[str, ...]:
        if self._known_hosts:
            return (str(Path(self._known_hosts).expanduser()),)
        return settings.paths(line)


def parts(target: str) -> tuple[str, str, str]:
    """User, host and port of ``[user@]host[:port]``, an IPv6 address in brackets where a port follows.

    Raises:
        KitError: the port is no number, or there is no host.
    """
    user, _, place = target.removeprefix("ssh://").rpartition("@")
    found = re.fullmatch(r"\[([^]]*)\](?::(.*))?|([^:]*)(?::([^:]*))?|(.*)", place)
    assert found
    host, port = found[1] or found[3] or found[5] or "", found[2] or found[4] or ""
    if port and not port.isdecimal():
        raise KitError(
            f"the port of {target} is no number",
            "write user@address:22, or correct Port in ssh's settings",
        )
    if port and not 0 < int(port) <= 65535:
        raise KitError(f"the port of {target} is none of 1 to 65535", "correct it")
    if not host:
        raise KitError(f"{target}: no host is named", "write [user@]address[:port]")
    return user, host, port
