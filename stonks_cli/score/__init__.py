"""Scoring the system's judgement: against the truth of the synthetic market, and against what real prices did."""
