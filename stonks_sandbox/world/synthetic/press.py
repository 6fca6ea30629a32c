"""Filings of the synthetic market: an 8-K that refers to a press release, and the release with its table of figures."""

import random
from html import escape

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.world.forms import item_title, sgml_header
from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Filing, FilingDocument
from stonks_sandbox.world.synthetic.facts import Facts, Results
from stonks_sandbox.world.synthetic.stories import Plan
from stonks_sandbox.world.synthetic.universe import Profile, profiles
from stonks_sandbox.world.synthetic.writing import prose, story_key

ITEM_OF = {
    Catalyst.EARNINGS_BEAT: "2.02",
    Catalyst.EARNINGS_MISS: "2.02",
    Catalyst.GUIDANCE_RAISE: "7.01",
    Catalyst.GUIDANCE_CUT: "7.01",
    Catalyst.MERGER_ACQUISITION: "1.01",
    Catalyst.CONTRACT_WIN: "1.01",
    Catalyst.CONTRACT_LOSS: "1.02",
    Catalyst.MANAGEMENT_CHANGE: "5.02",
}
WITH_FIGURES = {
    Catalyst.EARNINGS_BEAT,
    Catalyst.EARNINGS_MISS,
    Catalyst.GUIDANCE_RAISE,
    Catalyst.GUIDANCE_CUT,
}
CAUTION = (
    "This press release contains forward-looking statements within the meaning of the Private Securities Litigation "
    "Reform Act of 1995. Actual results may differ materially because of risks described in the company's reports. "
    "The company undertakes no obligation to update any forward-looking statement."
)


def _row(label: str, now: float, before: float, *, cents: bool = False) -> str:
    form = "{:.2f}" if cents else "{:,.1f}"
    change = (now / before - 1) * 100 if before else 0.0
    return (
        f'<tr><td>{label}</td><td align="right">$</td><td align="right">{form.format(now)}</td>'
        f'<td align="right">$</td><td align="right">{form.format(before)}</td>'
        f'<td align="right">{change:+.1f}%</td></tr>'
    )


def _table(results: Results, quarter: str) -> str:
    return "".join(
        (
            "<p><b>CONDENSED CONSOLIDATED STATEMENTS OF OPERATIONS</b><br/>(in millions, except per share amounts;",
            ' unaudited)</p><table border="0" cellpadding="3">',
            f'<tr><th></th><th colspan="2">{quarter.title()}</th><th colspan="2">Prior year</th><th>Change</th></tr>',
            _row("Revenue", results.revenue, results.revenue_before),
            _row("Cost of revenue", results.revenue - results.gross, results.revenue_before - results.gross_before),
            _row("Gross profit", results.gross, results.gross_before),
            _row("Net income", results.net, results.net_before),
            _row("Diluted earnings per share", results.eps, results.eps_before, cents=True),
            "</table>",
        )
    )


def _release(facts: Facts, profile: Profile, pick: random.Random) -> tuple[str, str]:
    entry, words = prose()["stories"][story_key(facts)], dict(facts.words)
    words["name_t"] = f"{profile.name} ({profile.venue}: {profile.ticker})"
    which = pick.randrange(len(entry["leads"]))
    title = str(entry["titles"][which]).format_map(words)
    pieces = [entry["leads"][which]] + [pick.choice(group) for group in entry["groups"]]
    paragraphs = [piece.format_map(words) for piece in pieces]
    day = facts.event.at.astimezone(NEW_YORK)
    dateline = f"{escape(profile.city.upper())}, {profile.state}, {day:%B} {day.day}, {day.year}"
    body = [f"<p><b>{dateline}</b> - {escape(paragraphs[0])}</p>"]
    body += [f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs[1:]]
    if facts.results is not None and facts.event.catalyst in WITH_FIGURES:
        body.append(_table(facts.results, words["quarter"]))
    body.append(f"<p><b>About {escape(profile.name)}</b></p><p>{escape(profile.company.description)}</p>")
    body.append(f"<p><b>Forward-looking statements</b></p><p>{escape(CAUTION)}</p>")
    body.append(f"<p>Contact: Investor Relations, {escape(profile.city)}, {profile.state}</p>")
    html = (
        "<html><head><title>EX-99.1</title></head><body><p>Exhibit 99.1</p>"
        f'<p align="center"><b>{escape(title)}</b></p>' + "\n".join(body) + "</body></html>\n"
    )
    return title, html


def _main(profile: Profile, item: str, title: str, plan: Plan) -> str:
    day = plan.at.astimezone(NEW_YORK)
    stamp = f"{day:%B} {day.day}, {day.year}"
    return (
        "<html><head><title>8-K</title></head><body>"
        '<p align="center">UNITED STATES<br/>SECURITIES AND EXCHANGE COMMISSION<br/>WASHINGTON, D.C. 20549</p>'
        '<p align="center"><b>FORM 8-K</b><br/>CURRENT REPORT<br/>Pursuant to Section 13 or 15(d) of the Securities '
        f"Exchange Act of 1934</p><p>Date of report (date of earliest event reported): {stamp}</p>"
        f'<p align="center"><b>{escape(profile.name)}</b><br/>(Exact name of registrant as specified in its charter)'
        f"</p><p>{escape(profile.city)}, {profile.state}</p>"
        "<table><tr><th>Title of each class</th><th>Trading symbol</th><th>Name of each exchange</th></tr>"
        f"<tr><td>Common stock</td><td>{profile.ticker}</td><td>{profile.venue}</td></tr></table>"
        f"<p><b>Item {item} {escape(item_title(item))}.</b></p>"
        f"<p>On {stamp}, {escape(profile.name)} issued a press release: {escape(title)}. A copy is attached as "
        "Exhibit 99.1 and is incorporated herein by reference.</p>"
        "<p><b>Item 9.01 Financial Statements and Exhibits.</b></p>"
        "<table><tr><td>99.1</td><td>Press release</td></tr></table>"
        f"<p><b>SIGNATURE</b></p><p>{escape(profile.name)}<br/>By: /s/ {escape(profile.finance_chief)}<br/>"
        f"Chief Financial Officer</p></body></html>\n"
    )


def filing(seed: int, plan: Plan) -> Filing:
    """The submission of a planned filing, complete with header and both documents."""
    event = plan.event
    if event.company is None:
        raise ValueError(f"{event.event_id} concerns no company and has no filing")
    profile = profiles()[event.company]
    facts = Facts(seed, event)
    item = ITEM_OF.get(event.catalyst, "8.01")
    title, release = _release(facts, profile, random.Random(f"{seed}/{event.event_id}/release"))
    stem = f"{profile.ticker.lower()}-{plan.at.astimezone(NEW_YORK):%Y%m%d}"
    documents = (
        FilingDocument("8-K", f"{stem}.htm", "8-K", _main(profile, item, title, plan).encode()),
        FilingDocument("EX-99.1", f"{stem}-ex991.htm", "EX-99.1", release.encode()),
    )
    filed = plan.at.astimezone(NEW_YORK).date()
    items = (item, "9.01")
    header = sgml_header(profile.company, plan.document_id, "8-K", plan.at, filed, items, len(documents))
    return Filing(
        accession=plan.document_id,
        cik=profile.company.cik or 0,
        ticker=profile.ticker,
        company=profile.name,
        form="8-K",
        accepted_at=plan.at,
        filed=filed,
        period=filed,
        items=items,
        header=header,
        documents=documents,
    )
