"""Property tests try the same examples every time; `--hypothesis-profile=default` tries others."""

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile("same")
