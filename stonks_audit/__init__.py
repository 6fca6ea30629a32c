"""Proofs and what-ifs over what was stored: recomputation, counterfactuals, and the audit of knowledge time.

Stands on the judgement of `stonks_assets` and `stonks_trading` and changes nothing that is stored. What the API asks for
(`recompute`, `counterfactual`) runs no stage; `lookahead` runs stages, in stores of its own.
"""
