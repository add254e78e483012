"""Settings that would leave hosts as somebody has set them up: facts in, a settings file out. Pure."""
