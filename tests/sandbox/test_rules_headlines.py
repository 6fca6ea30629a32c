"""How well the rules judge each company of a headline: hand-written lines with a label for every company named."""

from collections import Counter

import pytest

from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.document import extract_document

NAMES = {
    "AAPL": ("Apple Inc.", "Apple"),
    "AMD": ("Advanced Micro Devices, Inc.", "AMD"),
    "AMZN": ("Amazon.com, Inc.", "Amazon"),
    "BA": ("The Boeing Company", "Boeing"),
    "COST": ("Costco Wholesale Corporation", "Costco"),
    "F": ("Ford Motor Company", "Ford"),
    "GM": ("General Motors Company", "General Motors", "GM"),
    "GOOGL": ("Alphabet Inc.", "Alphabet", "Google"),
    "INTC": ("Intel Corporation", "Intel"),
    "JPM": ("JPMorgan Chase & Co.", "JPMorgan"),
    "KO": ("The Coca-Cola Company", "Coca-Cola"),
    "LLY": ("Eli Lilly and Company", "Eli Lilly"),
    "META": ("Meta Platforms, Inc.", "Meta"),
    "MSFT": ("Microsoft Corporation", "Microsoft"),
    "NKE": ("NIKE, Inc.", "Nike"),
    "NVDA": ("NVIDIA Corporation", "Nvidia"),
    "PEP": ("PepsiCo, Inc.", "Pepsi"),
    "PFE": ("Pfizer Inc.", "Pfizer"),
    "TGT": ("Target Corporation", "Target"),
    "TSLA": ("Tesla, Inc.", "Tesla"),
    "UNH": ("UnitedHealth Group Incorporated", "UnitedHealth"),
    "WMT": ("Walmart Inc.", "Walmart"),
    "XOM": ("Exxon Mobil Corporation", "Exxon Mobil", "Exxon"),
    "ZRAK": ("Zorak Industries plc", "Zorak"),
}
LINES = """
Apple shares jump 4% after quarterly profit tops estimates | AAPL+
Nvidia soars as Intel and AMD slide | NVDA+ INTC- AMD-
Apple gains, Microsoft slips in mixed trade | AAPL+ MSFT-
Ford recalls 400,000 trucks over brake defect | F-
General Motors raises full-year forecast while Ford cuts its own | GM+ F-
Pfizer drug wins FDA approval | PFE+
Eli Lilly's obesity trial fails, shares of Pfizer rise | LLY- PFE+
Walmart beats expectations but Target misses | WMT+ TGT-
Target warns of weaker holiday sales | TGT-
Boeing loses order to rival after safety concerns | BA-
Boeing wins $5 billion Pentagon contract | BA+
Goldman upgrades Tesla to buy, cuts Ford to sell | TSLA+ F-
Analysts downgrade Nike on sluggish China demand | NKE-
Amazon to lay off 18,000 workers | AMZN-
Microsoft in talks to buy small gaming studio | MSFT0
Costco declares special dividend of $15 a share | COST+
Meta fined 1.2 billion euros over data transfers | META-
Google sues Zorak Industries over patents | GOOGL0 ZRAK-
Zorak Industries files for bankruptcy | ZRAK-
Exxon profit falls 30% on lower oil prices | XOM-
Despite a weak quarter, Intel raised its outlook | INTC+
Although sales grew, Nike's margins shrank sharply | NKE-
Apple did not miss expectations this quarter | AAPL+
Intel fails to win back customers from AMD | INTC- AMD0
AMD takes market share from Intel | AMD+ INTC-
Tesla deliveries fall short of estimates | TSLA-
Tesla's loss narrows as costs decline | TSLA+
UnitedHealth hit by cyberattack at its payments unit | UNH-
UnitedHealth no longer expects earnings growth this year | UNH-
JPMorgan posts record profit, raises dividend | JPM+
JPMorgan CEO to step down next year | JPM-
Coca-Cola lifts annual sales forecast on strong demand | KO+
Pepsi cuts revenue outlook; Coca-Cola reaffirms its guidance | PEP- KO0
Coca-Cola outperforms Pepsi in third quarter | KO+ PEP-
Amazon and Walmart rally on upbeat consumer spending data | AMZN+ WMT+
Apple, Google face antitrust probe in Europe | AAPL- GOOGL-
Microsoft holds annual shareholder meeting | MSFT0
Nike to report results on Thursday | NKE0
Apple to open new store in Mumbai | AAPL0
Google appoints new head of its cloud unit | GOOGL0
Ford shares were unchanged on Tuesday | F0
Nvidia unveils faster chip, putting pressure on AMD | NVDA+ AMD-
Intel plunges 20% after disappointing forecast drags AMD lower | INTC- AMD-
Tesla cuts prices in China as competition intensifies | TSLA-
Meta surges on blockbuster earnings, lifting Google | META+ GOOGL+
Court dismisses lawsuit against Meta | META+
Jury orders Google to pay damages to small rival | GOOGL-
Boeing halts production at Seattle plant as workers strike | BA-
Boeing, union reach agreement to end strike | BA+
Walmart partners with Google on voice shopping | WMT+ GOOGL+
Exxon to acquire Zorak Industries for $60 billion | XOM0 ZRAK+
Zorak shares soar 40% on takeover bid from Exxon | ZRAK+
Pfizer's earnings decline less than feared | PFE+
Lilly's rival Pfizer drops weight-loss pill after safety scare | PFE-
Eli Lilly raises guidance as weight-loss drug sales double | LLY+
Costco same-store sales rise 6% | COST+
Costco membership fee increase fails to impress; stock dips | COST-
Nike names new CEO, shares climb 8% | NKE+
Target data breach exposes millions of cards | TGT-
Apple buys back $90 billion of stock | AAPL+
Amazon shares edge higher | AMZN+
Amazon wins cloud contract from CIA, beating Microsoft | AMZN+ MSFT-
Microsoft overtakes Apple as most valuable company | MSFT+ AAPL-
Berkshire trims stake in Apple | AAPL-
Insiders sell $50 million of Nvidia stock | NVDA-
Ford CEO buys 100,000 shares of company stock | F+
Ford to issue $2 billion of convertible notes | F-
General Motors suspends guidance amid tariff uncertainty | GM-
General Motors swings to quarterly loss | GM-
Exxon, Chevron gain as crude surges | XOM+
Nvidia says supply shortages have eased | NVDA+
AMD guidance disappoints even as revenue climbs 17% | AMD-
Intel stock sinks to five-year low | INTC-
Tesla tops delivery estimates; Ford and GM report weaker sales | TSLA+ F- GM-
JPMorgan downgrades Target, stays bullish on Walmart | JPM0 TGT- WMT+
Morgan Stanley raises price target on Nvidia | NVDA+
Meta expands lead over Google in AI advertising | META+ GOOGL-
Apple supplier Zorak Industries slumps on order cuts | ZRAK- AAPL0
Zorak jumps after winning contract from Boeing | ZRAK+ BA0
Boeing ditches Zorak as parts supplier | ZRAK- BA0
Microsoft beats on earnings and revenue | MSFT+
Alphabet misses on revenue | GOOGL-
Walmart, unlike Target, sees stronger traffic | WMT+ TGT-
Pepsi raises prices without losing customers | PEP+
Coca-Cola's costs rise faster than expected | KO-
Regulators clear Microsoft acquisition of game maker | MSFT+
EU blocks Amazon deal for robot maker | AMZN-
UnitedHealth shares tumble as medical costs surge | UNH-
UnitedHealth stock rebounds 5% after selloff | UNH+
Tesla denies report of production delay | TSLA0
Analysts expect Apple to report revenue of $90 billion | AAPL0
Why Apple stock is down today | AAPL-
Is Tesla stock a buy right now? | TSLA0
Nvidia leads tech rally; Intel lags | NVDA+ INTC-
Amazon tumbles, while Walmart hits record high | AMZN- WMT+
Ford's electric unit loses $1.3 billion | F-
Pfizer halts trial of experimental drug | PFE-
Pfizer to cut costs by $1 billion | PFE+
Lawsuit accuses Walmart of wage violations | WMT-
Nike slashes revenue forecast, sending shares down 12% | NKE-
Google to invest $1 billion in Zorak Industries | ZRAK+ GOOGL0
Google's cloud revenue growth slows | GOOGL-
Meta's user growth accelerates, but spending worries weigh on shares | META-
Exxon wins appeal in climate case | XOM+
Buy Costco, target price $900: Bernstein | COST+
Sell Boeing, says Wells Fargo | BA-
Hold Intel; upside is limited | INTC0
Top gainers and losers: Nvidia, Meta up; Nike, Target down | NVDA+ META+ NKE- TGT-
Intel surges 9%, AMD sheds 3% | INTC+ AMD-
JPMorgan fined $350 million over trade reporting gaps | JPM-
Eli Lilly strikes $3 billion deal with Zorak | LLY+ ZRAK+
AMD is gaining ground on Nvidia | AMD+ NVDA-
Apple cuts iPhone production on weak demand | AAPL-
Samsung profit plunges while Apple posts growth | AAPL+
General Motors delays electric truck launch | GM-
Strong iPhone sales lift Apple | AAPL+
Weak PC market hurts Intel more than AMD | INTC- AMD-
"""
LABELS = {"+": 1, "-": -1, "0": 0}


def _cases() -> list[tuple[str, dict[str, int]]]:
    cases = []
    for line in LINES.strip().splitlines():
        text, labels = line.rsplit(" | ", 1)
        cases.append((text, {label[:-1]: LABELS[label[-1]] for label in labels.split()}))
    return cases


def _judged(text: str, tickers: list[str]) -> dict[str, int]:
    """-1, 0 or 1 for every company asked about; a company without a record is neutral."""
    companies = [Company(ticker, NAMES[ticker]) for ticker in tickers]
    answer = extract_document(Document(text=text), companies)
    scores = {record["ticker"]: record["sentiment"] for record in answer["impacts"]}
    return {t: 0 if abs(scores.get(t, 0.0)) < 0.1 else (1 if scores[t] > 0 else -1) for t in tickers}


def _macro_f1(pairs: list[tuple[int, int]]) -> float:
    """Mean over the three classes of the F1 of (truth, judgement) pairs."""
    scores = []
    for label in (-1, 0, 1):
        hit = sum(1 for truth, said in pairs if truth == said == label)
        said_it = sum(1 for _, said in pairs if said == label)
        is_it = sum(1 for truth, _ in pairs if truth == label)
        scores.append(2 * hit / (said_it + is_it) if said_it + is_it else 0.0)
    return sum(scores) / len(scores)


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str, int, int, bool]]:
    rows = []
    for text, labels in _cases():
        said = _judged(text, list(labels))
        conflicting = {1, -1} <= set(labels.values())
        rows.extend((text, ticker, truth, said[ticker], conflicting) for ticker, truth in labels.items())
    return rows


def test_most_companies_of_a_headline_are_judged_right(pairs: list[tuple[str, str, int, int, bool]]) -> None:
    labelled = [(truth, said) for _, _, truth, said, _ in pairs]
    right = sum(truth == said for truth, said in labelled) / len(labelled)
    assert len(labelled) >= 140
    assert right >= 0.93
    assert _macro_f1(labelled) >= 0.90


def test_headlines_with_opposite_fortunes_are_told_apart(pairs: list[tuple[str, str, int, int, bool]]) -> None:
    labelled = [(truth, said) for _, _, truth, said, conflicting in pairs if conflicting]
    assert Counter(truth for truth, _ in labelled)[1] >= 15
    assert sum(truth == said for truth, said in labelled) / len(labelled) >= 0.93


def test_the_opposite_sign_is_rare(pairs: list[tuple[str, str, int, int, bool]]) -> None:
    opposite = [(text, ticker) for text, ticker, truth, said, _ in pairs if truth * said == -1]
    assert len(opposite) <= 2, opposite


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Boeing is doing fine, its chief executive said.", 0),
        ("Boeing shares finish fine session flat", 0),
        ("Intel fine-tunes Boeing's model", 0),
        ("Regulator waives fine on Boeing", 1),
        ("Boeing avoids a ban on its apps", 1),
        ("Boeing could not avoid a fine", -1),
        ("Regulator imposes fine on Boeing", -1),
        ("SEC fines Boeing $3 million", -1),
    ],
)
def test_a_fine_is_told_from_what_is_fine(text: str, sign: int) -> None:
    assert _judged(text, ["BA"])["BA"] == sign
