"""The always-on daemon around the session: the lease, the supervised tasks and their wake-ups."""
