"""`.runner_system_id`: which manager this is, beside config.toml."""

import hashlib
import hmac
import re
import secrets
import string
from pathlib import Path

from .. import log

_VALID = re.compile(r"[sr]_[0-9a-zA-Z]{12}")
_MACHINE_ID = Path("/etc/machine-id")


def load(config_file: Path) -> str:
    """The stored ID; an absent or malformed one is replaced."""
    path = config_file.parent / ".runner_system_id"
    stored = path.read_text().strip() if path.exists() else ""
    if _VALID.fullmatch(stored):
        return stored
    new = generate(_MACHINE_ID.read_text().strip() if _MACHINE_ID.exists() else "")
    log.info("Created missing unique system ID", system_id=new)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(new)
    except OSError:
        log.warning("Couldn't save new system ID on state file.", state_file=path, system_id=new)
    return new


def generate(machine_id: str) -> str:
    if machine_id:
        digest = hmac.new(machine_id.encode(), b"gitlab-runner", hashlib.sha256)
        return "s_" + digest.hexdigest()[:12]
    return "r_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
