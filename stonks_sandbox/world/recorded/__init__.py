"""A folder of real filings and daily bars, played again: under its own dates or mapped onto today's calendar."""
