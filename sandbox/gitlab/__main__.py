"""Run it: python3 -m sandbox.gitlab --listen 127.0.0.1:8080

Tokens come by the environment, MINI_GITLAB_TOKENS, as JSON: see `seed.read`.
"""

import argparse
import dataclasses
import os
import signal
import sys

from sandbox.gitlab import seed, serve


def main() -> None:
    """Serve until a signal says otherwise."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox.gitlab", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8080", metavar="ADDR:PORT")
    parser.add_argument("--url", default="", help="what clients call it, if not http://ADDR:PORT")
    parser.add_argument("--projects", default="", help='JSON, {"42": "acme/web"}')
    parser.add_argument("--poll-seconds", type=float, default=1.0, help="how long a poll is held")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    start = dataclasses.replace(
        seed.read(os.environ.get("MINI_GITLAB_TOKENS", "{}"), options.projects),
        poll_seconds=options.poll_seconds,
    )
    stops = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that only `sigwait` below sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with serve(start, (host, int(port)), options.url) as gitlab:
        print("listening on", gitlab.url, file=sys.stderr, flush=True)
        signal.sigwait(stops)


if __name__ == "__main__":
    main()
