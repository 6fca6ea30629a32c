"""The rules of trading as pure functions: what to buy, how much, when to leave. No clock, no client, no store."""
