"""What the simulated outside world consists of: companies, prices, documents and a clock.

`World` is the promise that the protocol fronts (Polygon, EDGAR, Alpaca) are written against; `synthetic` and
`recorded` keep it.
"""
