"""The HTTP API and the pages: reads both stores, and writes only what an operator asks for, on record."""
