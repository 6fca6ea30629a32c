"""The revisions, oldest first; a revision that has landed is never edited."""
