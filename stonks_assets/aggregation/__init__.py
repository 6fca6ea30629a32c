"""From extracted records to trends: signals of three layers, competitive propagation, trend windows, projections.

The pure modules hold the formulas; the `*_step` modules read the lake, call them and merge what they answer.
"""
