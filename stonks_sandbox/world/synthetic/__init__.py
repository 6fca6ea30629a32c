"""A seeded market of fictional companies in which news truly moves prices.

Everything is a function of (seed, absolute time): any process, started at any time, tells the same history.
"""
