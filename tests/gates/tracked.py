"""What git tracks, for the gates."""

import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "stonks_core",
    "stonks_assets",
    "stonks_trading",
    "stonks_audit",
    "stonks_api",
    "stonks_sandbox",
    "stonks_cli",
)


def tracked_files() -> list[Path]:
    """Every tracked file that is still there, relative to the project."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (PROJECT / name).is_file()]


def modules(*folders: str) -> list[Path]:
    """The tracked Python files below some top-level folders (the packages, when none is named)."""
    wanted = folders or PACKAGES
    return [path for path in tracked_files() if path.suffix == ".py" and path.parts[0] in wanted]


def text_of(path: Path) -> str | None:
    """A tracked file's text, or None where it is binary."""
    try:
        return (PROJECT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
