"""The routes, a file per concern; each takes what it needs from `asking`."""
