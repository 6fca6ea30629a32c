"""Benchmarks: what the stages cost, beside the limit and a peer measured in the same run. Nothing else imports them."""
