"""What documents mean: LLM answers held to verbatim evidence, macro events, and what they do to companies."""
