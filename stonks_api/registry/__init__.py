"""The registry over HTTP: companies, aliases, exposure, competitors, watchlists and sources, read and edited."""
