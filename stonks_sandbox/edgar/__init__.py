"""EDGAR's web sites over a world's filings: ticker list, submissions, the current feed and the archives.

What leaves here has sec.gov's shapes, headers and refusals; which filings exist is the world's matter.
"""

from stonks_sandbox.edgar.routes import build_edgar

__all__ = ["build_edgar"]
