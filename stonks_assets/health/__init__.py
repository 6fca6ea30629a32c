"""Whether the data is well: each table's rows against its declarations, and whether everything still flows."""
