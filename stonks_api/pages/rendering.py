"""Templates and how values look in them. Everything is escaped: documents are written by strangers."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from stonks_api.context import Context

Number = Decimal | float | int
TEMPLATES = Path(__file__).parent / "templates"
MISSING = "–"


def render(template: str, ctx: Context, **values: Any) -> HTMLResponse:
    """A page out of a template; `badges` and links stand on every one."""
    settings = ctx.settings
    shared = {
        "now": ctx.clock.now(),
        "live_money": settings.broker.mode == "live" and not settings.sandboxed["broker"],
        "sandboxed": [name.replace("_", " ") for name, played in settings.sandboxed.items() if played],
        "real": [name.replace("_", " ") for name, played in settings.sandboxed.items() if not played],
        "dagster_url": ctx.dagster_url if _web(ctx.dagster_url) else "",
    }
    return HTMLResponse(_environment().get_template(template).render(**shared, **values))


def money(value: Number | None) -> str:
    """Dollars and cents, the sign before the dollar."""
    if value is None:
        return MISSING
    return f"{'−' if value < 0 else ''}${abs(value):,.2f}"


def gain(value: Number | None) -> str:
    """Dollars with an arrow, so that gain and loss are told apart without colour."""
    if value is None:
        return MISSING
    arrow = "▲" if value > 0 else "▼" if value < 0 else "●"
    return f"{arrow} {money(-value if value < 0 else value)}"


def number(value: Number | None, digits: int = 2) -> str:
    """A number with a fixed count of decimals."""
    return MISSING if value is None else f"{value:,.{digits}f}".replace("-", "−")


def signed(value: Number | None, digits: int = 2) -> str:
    """A number with its sign."""
    return MISSING if value is None else f"{value:+,.{digits}f}".replace("-", "−")


def shares(value: Number | None) -> str:
    """A quantity without trailing zeros."""
    return MISSING if value is None else f"{Decimal(str(value)):,.6f}".rstrip("0").rstrip(".").replace("-", "−")


def percent(value: Number | None, digits: int = 0) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{value * 100:,.{digits}f} %".replace("-", "−")


def tone(value: Number | None) -> str:
    """The class of a figure's colour."""
    return "" if not value else "up" if value > 0 else "down"


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    if seconds < 0:
        return f"in {_span(-seconds)}"
    return "just now" if seconds < 5 else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def instant(at: datetime | None) -> str:
    """An instant in UTC, said so."""
    return MISSING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def web_address(address: str | None) -> str:
    """The address where a browser may safely follow it, else nothing: no script: or data: from a document."""
    return address if address and _web(address) else ""


def _web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def sparkline(values: list[Number], width: int = 240, height: int = 48) -> str:
    """The points of an SVG polyline through the values, left to right; empty below two values."""
    if len(values) < 2:
        return ""
    low, high = float(min(values)), float(max(values))
    spread = high - low or 1.0
    step = width / (len(values) - 1)
    return " ".join(
        f"{index * step:.1f},{height - 2 - (float(value) - low) / spread * (height - 4):.1f}"
        for index, value in enumerate(values)
    )


def _environment() -> Environment:
    return _ENVIRONMENT


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters |= {
    f.__name__: f for f in (money, gain, number, signed, shares, percent, tone, ago, instant, web_address, sparkline)
}
