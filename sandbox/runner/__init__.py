"""A stand-in for gitlab-runner, for the sandbox where the real image cannot be had.

It reads the real config.toml, registers, polls, runs jobs with the Docker Engine and drains
on SIGQUIT, in the wording of the real program. It never clones, keeps no artifacts and no
remote cache, and is for trying the kit only. Only the standard library and the Docker SDK
are used, so that Debian's own packages are enough.
"""
