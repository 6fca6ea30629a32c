"""Sector by SIC code, and the exposure that a sector usually has: the registry's defaults, which people overrule.

SIC codes are the SEC's four-digit industry codes; sectors are the eleven of the GICS scheme. The exposures are rough
starting points of our own, marked `sector default` wherever they are stored.
"""

from collections.abc import Mapping

from stonks_core.registry.universe import ExposureProfile

# Ranges of SIC codes, first match wins: narrow exceptions stand before the wide ranges that hold them.
_BY_SIC: tuple[tuple[int, int, str], ...] = (
    (1000, 1099, "Materials"),
    (1200, 1399, "Energy"),
    (1400, 1499, "Materials"),
    (1500, 1799, "Industrials"),
    (2000, 2199, "Consumer Staples"),
    (2200, 2399, "Consumer Discretionary"),
    (2400, 2499, "Materials"),
    (2500, 2599, "Consumer Discretionary"),
    (2600, 2699, "Materials"),
    (2700, 2799, "Communication Services"),
    (2833, 2836, "Health Care"),
    (2840, 2844, "Consumer Staples"),
    (2800, 2899, "Materials"),
    (2900, 2999, "Energy"),
    (3000, 3099, "Consumer Discretionary"),
    (3100, 3199, "Consumer Discretionary"),
    (3200, 3399, "Materials"),
    (3570, 3579, "Information Technology"),
    (3400, 3569, "Industrials"),
    (3580, 3599, "Industrials"),
    (3630, 3639, "Consumer Discretionary"),
    (3651, 3652, "Consumer Discretionary"),
    (3600, 3629, "Industrials"),
    (3640, 3649, "Industrials"),
    (3660, 3699, "Information Technology"),
    (3711, 3716, "Consumer Discretionary"),
    (3720, 3769, "Industrials"),
    (3700, 3799, "Consumer Discretionary"),
    (3812, 3812, "Industrials"),
    (3826, 3826, "Health Care"),
    (3841, 3851, "Health Care"),
    (3800, 3899, "Information Technology"),
    (3900, 3999, "Consumer Discretionary"),
    (4000, 4799, "Industrials"),
    (4800, 4899, "Communication Services"),
    (4900, 4999, "Utilities"),
    (5122, 5122, "Health Care"),
    (5171, 5172, "Energy"),
    (5000, 5199, "Industrials"),
    (5331, 5331, "Consumer Staples"),
    (5400, 5499, "Consumer Staples"),
    (5912, 5912, "Health Care"),
    (5200, 5999, "Consumer Discretionary"),
    (6324, 6324, "Health Care"),
    (6500, 6599, "Real Estate"),
    (6798, 6798, "Real Estate"),
    (6000, 6799, "Financials"),
    (7000, 7099, "Consumer Discretionary"),
    (7310, 7319, "Communication Services"),
    (7370, 7374, "Information Technology"),
    (7200, 7399, "Industrials"),
    (7500, 7699, "Consumer Discretionary"),
    (7800, 7899, "Communication Services"),
    (7900, 7999, "Consumer Discretionary"),
    (8000, 8099, "Health Care"),
    (8731, 8734, "Health Care"),
    (8200, 8299, "Consumer Discretionary"),
    (8700, 8799, "Industrials"),
)

_US = {"north_america": 0.7, "europe": 0.12, "china": 0.05, "asia_pacific": 0.08}
_GLOBAL = {"north_america": 0.45, "europe": 0.22, "china": 0.14, "asia_pacific": 0.14, "latin_america": 0.03}

_DEFAULTS: Mapping[str, ExposureProfile] = {
    "Communication Services": ExposureProfile(_US, {"electricity": -0.1}),
    "Consumer Discretionary": ExposureProfile(_GLOBAL, {"oil": -0.3, "steel": -0.2, "copper": -0.1}, ("china",)),
    "Consumer Staples": ExposureProfile(_US, {"wheat": -0.3, "oil": -0.2}),
    "Energy": ExposureProfile(_US, {"oil": 0.9, "natural_gas": 0.6}, ("middle_east_africa",)),
    "Financials": ExposureProfile(_US, {}),
    "Health Care": ExposureProfile(_US, {}),
    "Industrials": ExposureProfile(_GLOBAL, {"oil": -0.4, "steel": -0.4, "copper": -0.2}, ("china",)),
    "Information Technology": ExposureProfile(
        _GLOBAL, {"copper": -0.1, "electricity": -0.2}, ("china", "asia_pacific")
    ),
    "Materials": ExposureProfile(
        _GLOBAL, {"copper": 0.6, "steel": 0.5, "gold": 0.4, "lithium": 0.3, "natural_gas": -0.3}
    ),
    "Real Estate": ExposureProfile(_US, {"steel": -0.1}),
    "Utilities": ExposureProfile({"north_america": 1.0}, {"natural_gas": -0.5, "electricity": 0.5}),
}


def sector_of_sic(code: str) -> str:
    """The sector of a SIC code; empty for a code that is missing or belongs to none."""
    if not code.isdecimal():
        return ""
    number = int(code)
    return next((sector for low, high, sector in _BY_SIC if low <= number <= high), "")


def default_exposure(sector: str) -> ExposureProfile:
    """What a company of a sector is usually exposed to; an even American profile for an unknown sector."""
    return _DEFAULTS.get(sector, ExposureProfile({"north_america": 0.7}, {}))
