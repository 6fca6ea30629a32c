"""Documents: raw payloads to normalised, judged and clustered text with the companies it names."""
