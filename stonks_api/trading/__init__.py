"""How people steer the trading engine: its state, its switches, its settings, requests, and the lists of what happened."""
