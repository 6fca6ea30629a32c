"""The risk engine's judgement as pure functions: one order against the limits. No clock, no client, no store."""
