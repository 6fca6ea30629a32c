"""A sector for each industry code, since EDGAR's headers name industries and not sectors.

Approximate on purpose: a SIC code describes what a company makes, a GICS sector how investors class it.
"""

from bisect import bisect_right

COMMUNICATION, DISCRETIONARY, STAPLES = "Communication Services", "Consumer Discretionary", "Consumer Staples"
ENERGY, FINANCIALS, HEALTH, INDUSTRIALS = "Energy", "Financials", "Health Care", "Industrials"
TECHNOLOGY, MATERIALS, PROPERTY, UTILITIES = "Information Technology", "Materials", "Real Estate", "Utilities"

_FROM: tuple[tuple[int, str], ...] = (
    (100, STAPLES),
    (1000, MATERIALS),
    (1300, ENERGY),
    (1400, MATERIALS),
    (1500, INDUSTRIALS),
    (1531, DISCRETIONARY),
    (1540, INDUSTRIALS),
    (2000, STAPLES),
    (2200, DISCRETIONARY),
    (2400, MATERIALS),
    (2500, DISCRETIONARY),
    (2600, MATERIALS),
    (2700, COMMUNICATION),
    (2800, MATERIALS),
    (2830, HEALTH),
    (2840, STAPLES),
    (2850, MATERIALS),
    (2900, ENERGY),
    (3000, MATERIALS),
    (3020, DISCRETIONARY),
    (3050, MATERIALS),
    (3100, DISCRETIONARY),
    (3200, MATERIALS),
    (3400, INDUSTRIALS),
    (3570, TECHNOLOGY),
    (3580, INDUSTRIALS),
    (3630, DISCRETIONARY),
    (3660, TECHNOLOGY),
    (3690, INDUSTRIALS),
    (3710, DISCRETIONARY),
    (3720, INDUSTRIALS),
    (3820, TECHNOLOGY),
    (3840, HEALTH),
    (3860, TECHNOLOGY),
    (3900, DISCRETIONARY),
    (4000, INDUSTRIALS),
    (4800, COMMUNICATION),
    (4900, UTILITIES),
    (4922, ENERGY),
    (4924, UTILITIES),
    (5000, INDUSTRIALS),
    (5140, STAPLES),
    (5200, DISCRETIONARY),
    (5331, STAPLES),
    (5332, DISCRETIONARY),
    (5400, STAPLES),
    (5500, DISCRETIONARY),
    (5912, STAPLES),
    (5913, DISCRETIONARY),
    (6000, FINANCIALS),
    (6324, HEALTH),
    (6325, FINANCIALS),
    (6500, PROPERTY),
    (6600, FINANCIALS),
    (6798, PROPERTY),
    (6799, FINANCIALS),
    (7000, DISCRETIONARY),
    (7300, INDUSTRIALS),
    (7370, TECHNOLOGY),
    (7380, INDUSTRIALS),
    (7500, DISCRETIONARY),
    (7800, COMMUNICATION),
    (7900, DISCRETIONARY),
    (8000, HEALTH),
    (8100, INDUSTRIALS),
    (8200, DISCRETIONARY),
    (8300, INDUSTRIALS),
)
_STARTS = [start for start, _ in _FROM]


def sector_of(sic_code: str) -> str:
    """The sector of a four-digit SIC code; empty for no code or one outside the table."""
    if not sic_code.isdigit() or not 100 <= int(sic_code) < 9000:
        return ""
    return _FROM[bisect_right(_STARTS, int(sic_code)) - 1][1]
