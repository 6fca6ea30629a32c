"""What a document is called: canonical addresses and ids that do not depend on who fetched it, or when.

Pure. Reading an address out of a page is `metadata`'s business.
"""

import re
from datetime import date
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from stonks_core.identifiers import digest

ID_DIGITS = 20
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING_PREFIXES = ("utm_", "mc_", "pk_", "hsa_", "guce_", "oly_", "vero_", "__hs", "_hs")
_TRACKING_NAMES = frozenset(
    {
        *("fbclid", "gclid", "gclsrc", "dclid", "msclkid", "yclid", "igshid", "twclid", "ttclid", "wbraid", "gbraid"),
        *("cmpid", "ncid", "cid", "ocid", "icid", "mkt_tok", "s_cid", "xtor", "ref_src", "ref_url", "guccounter"),
        *("_ga", "_gl", "sref", "soc_src", "soc_trk", "tsrc", "yptr", "smid", "smtyp", "spm", "feature", "taid"),
    }
)
_SITE_PREFIXES = ("www.", "m.", "amp.", "mobile.")
_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")


def canonical_url(url: str) -> str:
    """The address without what does not name the document.

    Scheme and host are lowered; credentials, the default port, tracking parameters and the fragment go; the other
    parameters are sorted; blanks and non-ASCII characters are percent-encoded. What is not http(s), or not an
    address at all, comes back stripped of blanks and otherwise as it is. Canonicalising twice changes nothing.
    """
    given = "".join(url.split())
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        return given
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host:
        return given
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        netloc += f":{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    pairs = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _is_tracking(pair[0]))
    return urlunsplit((scheme, netloc, path, urlencode(pairs, errors="replace"), ""))


def _is_tracking(name: str) -> bool:
    lowered = name.lower()
    return lowered in _TRACKING_NAMES or lowered.startswith(_TRACKING_PREFIXES)


def same_site(one: str, other: str) -> bool:
    """Whether two addresses belong to one host, `www.` and mobile prefixes aside.

    A page may name its own canonical address; it may not take the name of another site's document.
    """
    first, second = _site(one), _site(other)
    return bool(first) and first == second


def _site(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    for prefix in _SITE_PREFIXES:
        host = host.removeprefix(prefix)
    return host


def filing_identity(accession: str) -> str:
    """The name of a filing, whichever address it was read at; ValueError when it is no accession number."""
    if not _ACCESSION.fullmatch(accession):
        raise ValueError(f"{accession!r} is not an EDGAR accession number such as 0000320193-24-000005")
    return f"accession:{accession}"


def document_id(feed_day: date, identity: str) -> str:
    """`yyyymmdd-` and 20 hexadecimal digits of SHA-256 over the canonical address (or filing identity)."""
    return f"{feed_day.isoformat().replace('-', '')}-{digest(identity, length=ID_DIGITS)}"
