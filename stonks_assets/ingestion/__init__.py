"""Bringing the outside in: six adapters, one per source type, and the raw rows they end in. Nothing is judged here."""
