"""Word lists and patterns of `stonks-rules`, written for it by hand. Data only; `rules.patterns` explains the notation."""
