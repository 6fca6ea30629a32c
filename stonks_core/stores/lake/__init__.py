"""The lake: the registry of its tables, reading them as of an instant, writing them by key, and SQL over them."""
