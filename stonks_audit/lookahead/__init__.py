"""The look-ahead audit: is anything that was computed for an instant built on what was known only after it?

Everything derived is computed twice for each instant, over the whole lake and over a copy that ends at the instant, and
once more with rows planted that may not matter. Stages run as they are, in stores of the audit's own: the lake that is
audited is read at fixed versions, and its database is one that refuses to be written.
"""
