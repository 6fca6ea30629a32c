"""Prices as readers see them: stored as traded, handed out in today's scale with splits and dividends put back.

`adjusting` is the arithmetic, `reading` the one way from the lake to a series. Whoever needs bars asks `reading`.
"""
