"""Why: from an order or a recommendation back to the sentences behind it, and forward from a document to the orders that it moved.

Follows stored references only and computes no judgement of its own, so that the answer is the same after any restart.
"""

from stonks_core.why.chain import why_order, why_recommendation
from stonks_core.why.forward import orders_of_document

__all__ = ["orders_of_document", "why_order", "why_recommendation"]
