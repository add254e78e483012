"""`python3 -m …`: the same as the gitlab-runner command of the image."""

import sys

from .cli import main

sys.exit(main(sys.argv[1:]))
