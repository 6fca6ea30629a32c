"""Fixtures of the sandbox's tests: the Alpaca stand-in, served."""

from tests.sandbox.alpaca_served import client, running

__all__ = ["client", "running"]
