"""What the numbered items of a Form 8-K say about the kind of news, before a word below them is read."""

from stonks_core.vocabulary import Catalyst

# Item number: catalyst, how surely, and the value in [-1, 1] that the item has by itself.
ITEMS: dict[str, tuple[Catalyst, float, float]] = {
    "1.01": (Catalyst.OTHER, 0.2, 0.0),
    "1.02": (Catalyst.CONTRACT_LOSS, 0.3, -0.1),
    "1.03": (Catalyst.LITIGATION, 1.5, -0.9),
    "1.05": (Catalyst.OPERATIONAL_INCIDENT, 1.6, -0.5),
    "2.01": (Catalyst.MERGER_ACQUISITION, 1.1, 0.1),
    "2.02": (Catalyst.EARNINGS_BEAT, 1.6, 0.0),
    "2.03": (Catalyst.CAPITAL_RAISE, 0.8, 0.0),
    "2.04": (Catalyst.CAPITAL_RAISE, 0.9, -0.5),
    "2.05": (Catalyst.OPERATIONAL_INCIDENT, 0.9, -0.3),
    "2.06": (Catalyst.OPERATIONAL_INCIDENT, 0.8, -0.4),
    "3.01": (Catalyst.REGULATORY, 1.1, -0.6),
    "3.02": (Catalyst.CAPITAL_RAISE, 0.9, -0.2),
    "3.03": (Catalyst.OTHER, 0.4, 0.0),
    "4.01": (Catalyst.OTHER, 0.7, -0.1),
    "4.02": (Catalyst.LITIGATION, 1.4, -0.7),
    "5.01": (Catalyst.MERGER_ACQUISITION, 1.1, 0.1),
    "5.02": (Catalyst.MANAGEMENT_CHANGE, 0.5, 0.0),
    "5.03": (Catalyst.OTHER, 0.7, 0.0),
    "5.05": (Catalyst.OTHER, 0.5, 0.0),
    "5.07": (Catalyst.OTHER, 1.4, 0.0),
    "5.08": (Catalyst.OTHER, 0.8, 0.0),
    "7.01": (Catalyst.OTHER, 0.1, 0.0),
    "8.01": (Catalyst.OTHER, 0.1, 0.0),
}

EXHIBITS = "9.01"
# Items that report a formality: what is said below them praises and blames nobody.
FORMALITIES = frozenset({"3.03", "5.03", "5.05", "5.07", "5.08"})
# And of people: biographies and pay plans are full of plain good words, that say nothing of the company.
PEOPLE = frozenset({"5.02"})

# Labels of the rows of an income statement that say how a quarter went, with their weight.
_LOSS = r"(?:/?\s?\(loss\))?"
KEY_ROWS: tuple[tuple[str, str, float], ...] = (
    ("revenue", r"(?:total |consolidated )?(?:net )?(?:revenues?|sales)(?:,? net)?(?: and other revenue)?", 1.0),
    (
        "operating income",
        rf"(?:core )?(?:operating (?:income|profit|earnings){_LOSS}|(?:income|earnings){_LOSS} from operations)",
        0.6,
    ),
    ("net income", rf"net (?:income|earnings|profit){_LOSS}(?: attributable to .{{2,40}})?|net loss", 0.7),
    (
        "eps",
        (
            rf"(?:gaap |non-gaap |adjusted |core )?(?:diluted )?(?:net )?(?:earnings|income|loss)?{_LOSS}"
            r"(?: attributable to [\w ]{2,30})? ?"
            r"(?:per (?:diluted )?(?:common )?share[\w ()—–-]{0,40}|\(?eps\)?)(?: ?\(eps\))?|diluted eps|eps"
        ),
        1.0,
    ),
)
# A cell that holds a change and not an amount.
CHANGE_WORDS = {"up": 1.0, "down": -1.0, "increase": 1.0, "decrease": -1.0, "increased": 1.0, "decreased": -1.0}
EXPECTED_WORDS = r"expect|consensus|estimate|forecast|analyst|street|predicted|anticipated|guidance|projected"
PRIOR_WORDS = (
    r"a year (?:ago|earlier)|last year|year-ago|prior[- ]year|previous year|same (?:quarter|period)|corresponding|"
    r"prior (?:quarter|period)|previous quarter|year earlier|in the (?:first|second|third|fourth) quarter of|for the .{0,20}20\d\d"
)
