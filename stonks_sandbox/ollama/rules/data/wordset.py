"""How the word lists write a set of words: one text, divided by blanks."""


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())
