"""Entry point of the `stonks` command."""


def main() -> None:
    """Run the command line."""
    raise SystemExit("stonks: no command yet")
