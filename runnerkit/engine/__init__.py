"""Docker on a host, over the same door: pull, push, build, ship."""
