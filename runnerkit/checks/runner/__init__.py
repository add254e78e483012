"""The manager, its container and its config.toml."""
