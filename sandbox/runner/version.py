"""Which gitlab-runner this pretends to be; the image build writes the file VERSION."""

import platform
from pathlib import Path

_FILE = Path(__file__).with_name("VERSION")

NAME = "gitlab-runner"
VERSION = _FILE.read_text().strip() if _FILE.exists() else "19.3.0"
REVISION = "stand-in"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
USER_AGENT = f"{NAME} {VERSION} ({REVISION}; python{platform.python_version()}; linux/{ARCH})"


def extended() -> str:
    """What `--version` prints."""
    rows = {
        "Version": VERSION,
        "Git revision": REVISION,
        "Git branch": REVISION,
        "GO version": f"none (Python {platform.python_version()})",
        "Built": "unknown",
        "OS/Arch": f"linux/{ARCH}",
    }
    return "".join(f"{name + ':':<14}{value}\n" for name, value in rows.items())
