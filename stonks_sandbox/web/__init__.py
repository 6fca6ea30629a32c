"""The open web over a world: article pages, the blogs' feed, robots.txt."""

from stonks_sandbox.web.routes import build_web

__all__ = ["build_web"]
