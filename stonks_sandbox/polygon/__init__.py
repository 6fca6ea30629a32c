"""Polygon's REST protocol over a world: aggregates, snapshots, news, reference data and market status.

What leaves here has the vendor's shapes and errors; what is true is the world's matter.
"""

from stonks_sandbox.polygon.routes import build_polygon

__all__ = ["build_polygon"]
