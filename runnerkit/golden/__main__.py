"""``python -m runnerkit.golden ADDRESS FOLDER``: Packer's build has the machine set up by this."""

import sys
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.golden import provision
from runnerkit.place import settings_file
from runnerkit.report.bootstrap import bootstrapped
from runnerkit.report.progress import progress
from runnerkit.settings.load import load


def main(address: str, folder: Path) -> int:
    """Set up the machine that becomes an image; the exit code."""
    try:
        settings = load(settings_file())
        with progress() as listener:
            outcomes = provision.provision(address, folder, settings, listener)
    except KitError as error:
        print(error.message, file=sys.stderr)
        return error.code
    return bootstrapped(outcomes).show(as_json=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
