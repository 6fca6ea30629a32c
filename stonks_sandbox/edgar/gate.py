"""Who may read EDGAR: whoever declares in the User-Agent how to be reached."""

import re

from fastapi import Request, Response

CONTACT = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\.[A-Za-z]{2,}")

REFUSAL = """<!DOCTYPE html>
<html lang="en"><head><title>SEC.gov | Your Request Originates from an Undeclared Automated Tool</title></head>
<body><h1>Your Request Originates from an Undeclared Automated Tool</h1>
<p>To allow for equitable access to all users, SEC reserves the right to limit requests originating from undeclared
automated tools. Please declare your traffic by updating your user agent to include company specific information,
such as: Sample Company Name AdminContact@samplecompany.com</p></body></html>
"""


class UndeclaredError(Exception):
    """The request names no contact address."""

    def response(self) -> Response:
        """403 with the page that sec.gov shows."""
        return Response(REFUSAL, 403, media_type="text/html")


def require_contact(request: Request) -> None:
    """Raise `UndeclaredError` unless the User-Agent contains something like an e-mail address."""
    if not CONTACT.search(request.headers.get("user-agent", "")):
        raise UndeclaredError
