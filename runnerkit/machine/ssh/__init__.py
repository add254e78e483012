"""A way to a host as ssh itself would go it: settings, jump hosts, keys, and host keys."""
