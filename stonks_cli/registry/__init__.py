"""`stonks registry`: companies, aliases, exposure, competitors, watchlists and sources, read and edited from a shell."""
