"""Run it: python3 -m sandbox.gitlab --listen 127.0.0.1:8080

Tokens come by the environment, MINI_GITLAB_TOKENS, as JSON: see `seed.read`.
"""

import argparse
import os
import signal
import sys

from sandbox.gitlab import seed
from sandbox.gitlab.serving import serve


def main() -> None:
    """Serve until a signal says otherwise."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox.gitlab", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8080", metavar="ADDR:PORT")
    parser.add_argument("--url", default="", help="what clients call it, if not http://ADDR:PORT")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    stops = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that only `sigwait` below sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    tokens = os.environ.get("MINI_GITLAB_TOKENS", "{}")
    with serve(seed.read(tokens), (host, int(port)), options.url) as gitlab:
        print("listening on", gitlab.state.url, file=sys.stderr, flush=True)
        signal.sigwait(stops)


if __name__ == "__main__":
    main()
