"""Local stand-ins speaking the Polygon, EDGAR, Alpaca and Ollama protocols; nothing here is imported by the system."""
