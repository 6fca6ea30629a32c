"""Ollama's chat protocol with one built-in model, `stonks-rules`. `build_ollama` is the only name the sandbox needs."""

from stonks_sandbox.ollama.protocol import build_ollama

__all__ = ["build_ollama"]
