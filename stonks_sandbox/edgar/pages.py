"""EDGAR's pages: the Atom feed of the latest filings and the index page of one."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from stonks_sandbox.world.forms import full_submission, item_title
from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Filing


def folder(filing: Filing) -> str:
    """The archive folder of a filing, below /Archives."""
    return f"edgar/data/{filing.cik}/{filing.accession.replace('-', '')}"


def _size(filing: Filing) -> str:
    kilobytes = sum(len(document.content) for document in filing.documents) // 1024
    return f"{kilobytes // 1024} MB" if kilobytes >= 1024 else f"{max(1, kilobytes)} KB"


def _item(number: str) -> str:
    title = item_title(number)
    return title if title == number else f"Item {number}: {title}"


def _entry(base: str, filing: Filing) -> str:
    accepted = filing.accepted_at.astimezone(NEW_YORK)
    items = "".join(f"\n&lt;br&gt;{escape(escape(_item(item), quote=False))}" for item in filing.items)
    link = f"{base}/Archives/{folder(filing)}/{filing.accession}-index.htm"
    return (
        "<entry>\n"
        f"<title>{escape(filing.form)} - {escape(filing.company)} ({filing.cik:010d}) (Filer)</title>\n"
        f'<link rel="alternate" type="text/html" href="{escape(link, quote=True)}"/>\n'
        '<summary type="html">\n'
        f" &lt;b&gt;Filed:&lt;/b&gt; {filing.filed} &lt;b&gt;AccNo:&lt;/b&gt; {filing.accession} "
        f"&lt;b&gt;Size:&lt;/b&gt; {_size(filing)}{items}\n</summary>\n"
        f"<updated>{accepted.isoformat(timespec='seconds')}</updated>\n"
        f'<category scheme="https://www.sec.gov/" label="form type" term="{escape(filing.form, quote=True)}"/>\n'
        f"<id>urn:tag:sec.gov,2008:accession-number={filing.accession}</id>\n"
        "</entry>\n"
    )


def current_feed(base: str, filings: Sequence[Filing], now: datetime) -> bytes:
    """The Atom feed of these filings in the order given; instants in New York time with their offset."""
    local = now.astimezone(NEW_YORK)
    entries = "".join(_entry(base, filing) for filing in filings)
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>Latest Filings - {local:%a, %d %b %Y %H:%M:%S %Z}</title>\n"
        '<link rel="alternate" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
        '<link rel="self" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
        "<id>https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent</id>\n"
        "<author><name>Webmaster</name><email>webmaster@sec.gov</email></author>\n"
        f"<updated>{local.isoformat(timespec='seconds')}</updated>\n{entries}</feed>\n"
    )
    return text.encode("iso-8859-1", "xmlcharrefreplace")


def index_page(filing: Filing) -> bytes:
    """The page that lists a filing's documents."""
    accepted = filing.accepted_at.astimezone(NEW_YORK)
    place = f"/edgar/www/Archives/{folder(filing)}"
    rows = "".join(
        f'<tr><td scope="row">{number}</td><td scope="row">{escape(document.description)}</td>'
        f'<td scope="row"><a href="{place}/{escape(document.filename, quote=True)}">{escape(document.filename)}</a></td>'
        f'<td scope="row">{escape(document.type)}</td><td scope="row">{len(document.content)}</td></tr>\n'
        for number, document in enumerate(filing.documents, start=1)
    )
    items = "".join(f"{escape(_item(item))}<br />" for item in filing.items)
    period = (
        f'<div class="infoHead">Period of Report</div>\n<div class="info">{filing.period}</div>\n'
        if filing.period
        else ""
    )
    text = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head>'
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />'
        f"<title>EDGAR Filing Documents for {filing.accession}</title></head><body>\n"
        f'<div id="formName"><strong>Form {escape(filing.form)}</strong> - Current report: </div>\n'
        f'<div id="secNum"><strong>SEC Accession No.</strong> {filing.accession}</div>\n'
        f'<div class="infoHead">Filing Date</div>\n<div class="info">{filing.filed}</div>\n'
        f'<div class="infoHead">Accepted</div>\n<div class="info">{accepted:%Y-%m-%d %H:%M:%S}</div>\n'
        f'<div class="infoHead">Documents</div>\n<div class="info">{len(filing.documents)}</div>\n'
        f"{period}"
        f'<div class="infoHead">Items</div>\n<div class="info">{items}</div>\n'
        '<table class="tableFile" summary="Document Format Files">\n'
        '<tr><th scope="col">Seq</th><th scope="col">Description</th><th scope="col">Document</th>'
        f'<th scope="col">Type</th><th scope="col">Size</th></tr>\n{rows}'
        '<tr><td scope="row">&nbsp;</td><td scope="row">Complete submission text file</td>'
        f'<td scope="row"><a href="{place}/{filing.accession}.txt">{filing.accession}.txt</a></td>'
        f'<td scope="row">&nbsp;</td><td scope="row">{len(full_submission(filing))}</td></tr>\n</table>\n'
        f'<div class="companyInfo"><span class="companyName">{escape(filing.company)} (Filer) '
        f"<acronym>CIK</acronym>: {filing.cik:010d}</span></div>\n</body></html>\n"
    )
    return text.encode()
