"""Reading the end of a child's log. Writing and rotating it is done by `launch`, beside the child."""

from pathlib import Path

_BYTES = 16_000


def size(log: Path) -> int:
    """How long the log is now; 0 when there is none."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, since: int = 0, lines: int = 12) -> str:
    """The last lines written after position `since`; all of a log that was rotated since then counts."""
    if not log.exists():
        return ""
    end = log.stat().st_size
    begin = since if since <= end else 0
    with log.open("rb") as file:
        file.seek(max(begin, end - _BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
