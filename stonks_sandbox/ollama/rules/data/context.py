"""Words that change what other words mean: negation, hedging, contrast, degree; and the abbreviations with a full stop."""

from typing import NamedTuple

from stonks_sandbox.ollama.rules.data.wordset import words


class _Abbreviations(NamedTuple):
    always: frozenset[str]
    before_names: frozenset[str]


# `always` never ends a sentence; `before_names` does not when a capital or digit that belongs to it follows.
ABBREVIATIONS = _Abbreviations(
    always=words(
        """
    mr mrs ms dr prof gen gov sen rep rev hon st messrs vs v cf e.g i.e no nos jan feb mar apr jun jul
    aug sep sept oct nov dec calif mass conn fla wash ariz mich minn wis ill va pa del u.s u.k u.n e.u
    approx fig dept ft vol
    """
    ),
    before_names=words("inc corp co ltd plc llc l.p n.v s.a bros p.m a.m jr sr ph.d cos"),
)

# After `Inc.` only such a word shows that the sentence ended there.
SENTENCE_STARTERS = words(
    """
    The A An It Its This That These Those He She They We In On At As For But And However While With
    Under Shares Analysts Revenue Sales Our If After Before During Since Despite Although Meanwhile
    Separately Also
    """
)

# How much of a word's value survives the negator before it (negative: turned round), and how far it reaches.
NEGATORS: dict[str, tuple[float, int]] = {
    "not": (-0.6, 4),
    "no": (-0.5, 3),
    "never": (-0.5, 4),
    "without": (-0.4, 4),
    "neither": (-0.5, 5),
    "nor": (-0.5, 4),
    "cannot": (-0.6, 4),
    "hardly": (-0.4, 3),
    "lack": (-0.6, 3),
    "lacks": (-0.6, 3),
    "lacked": (-0.6, 3),
    "avoid": (-0.5, 4),
    "avoids": (-0.5, 4),
    "avoided": (-0.5, 4),
    "avert": (-0.5, 4),
    "averts": (-0.5, 4),
    "averted": (-0.5, 4),
    "escapes": (-0.5, 4),
    "escaped": (-0.5, 4),
    "unlikely": (-0.5, 5),
    "unable": (-0.7, 5),
    "deny": (0.2, 6),
    "denies": (0.2, 6),
    "denied": (0.2, 6),
    "dismisses": (-0.3, 6),
    "dismissed": (-0.3, 6),
    "refutes": (-0.2, 6),
    "rejects": (-0.2, 4),
    "resolves": (-0.5, 5),
    "resolved": (-0.5, 5),
    "despite": (0.35, 5),
    "cancels": (-0.6, 4),
    "cancelled": (-0.6, 4),
    "canceled": (-0.6, 4),
    "scraps": (-0.6, 4),
    "scrapped": (-0.6, 4),
    "scrap": (-0.6, 4),
    "halts": (-0.6, 4),
    "halted": (-0.6, 4),
    "suspends": (-0.6, 4),
    "suspended": (-0.6, 4),
    "abandons": (-0.6, 5),
    "abandoned": (-0.6, 5),
    "shelves": (-0.6, 5),
    "shelved": (-0.6, 5),
    "delays": (-0.6, 4),
    "delayed": (-0.5, 4),
    "postpones": (-0.6, 4),
    "postponed": (-0.6, 4),
    "cleared": (-0.6, 4),
}

# Negators of several words, in the pattern notation.
NEGATOR_PHRASES: tuple[tuple[str, tuple[float, int]], ...] = (
    ("no longer", (-0.7, 5)),
    ("fail% to", (-0.9, 6)),
    ("failure to", (-0.9, 6)),
    ("far from", (-0.7, 4)),
    ("rule% out", (-0.5, 4)),
    ("instead of", (-0.3, 4)),
    ("rather than", (-0.3, 4)),
    ("lack of", (-0.6, 3)),
    ("absence of", (-0.6, 3)),
    ("yet to", (-0.4, 5)),
    ("free% from|of", (-0.6, 5)),
    ("freed from|of", (-0.6, 5)),
    ("rid of", (-0.5, 4)),
    ("shake% off", (-0.6, 5)),
    ("shrug% off", (-0.6, 5)),
    ("recover% from", (-0.4, 5)),
    ("bounce% back from", (-0.4, 5)),
    ("put% behind", (-0.5, 5)),
    ("cancel% out", (-0.4, 5)),
    ("decline% to", (-0.3, 4)),
    ("refuse% to", (-0.4, 4)),
    ("stop% short of", (-0.4, 4)),
    ("not only", (1.0, 6)),
    ("no doubt", (1.0, 6)),
    ("not just", (1.0, 6)),
)

# Words that open a question; those of the second set do so without a question mark as well.
ASKING = words("will should is are can could does do did has have would may might when which who what how where")
ALWAYS_ASKING = words("should will")

CONTRAST_AFTER = frozenset({"but", "however", "yet", "nevertheless", "nonetheless", "still"})
CONCESSION = frozenset({"despite", "although", "though", "notwithstanding"})
CLAUSE_BREAKS = frozenset(
    {"even", "but", "however", "while", "whereas", "although", "though", "despite", "amid", "yet", ";"}
)
DASHES = frozenset({"—", "–", "―", "-"})

# Confidence kept when the word stands in the clause.
HEDGES: dict[str, float] = {
    "may": 0.7,
    "might": 0.65,
    "could": 0.7,
    "would": 0.85,
    "should": 0.85,
    "perhaps": 0.7,
    "possibly": 0.7,
    "possible": 0.75,
    "potential": 0.8,
    "potentially": 0.75,
    "reportedly": 0.6,
    "allegedly": 0.65,
    "alleged": 0.75,
    "rumour": 0.45,
    "rumours": 0.45,
    "rumor": 0.45,
    "rumors": 0.45,
    "rumored": 0.45,
    "rumoured": 0.45,
    "speculation": 0.5,
    "speculative": 0.6,
    "unconfirmed": 0.45,
    "sources": 0.7,
    "considering": 0.65,
    "considers": 0.65,
    "mulls": 0.6,
    "mulling": 0.6,
    "weighs": 0.65,
    "weighing": 0.65,
    "exploring": 0.65,
    "explores": 0.65,
    "eyes": 0.7,
    "eyeing": 0.7,
    "talks": 0.7,
    "likely": 0.85,
    "appears": 0.8,
    "seems": 0.8,
    "hopes": 0.75,
    "aims": 0.85,
    "if": 0.6,
    "whether": 0.6,
    "unless": 0.6,
    "chatter": 0.5,
    "whispers": 0.5,
    "claims": 0.75,
    "blog": 0.7,
    "tipster": 0.5,
}
HEDGE_PHRASES: tuple[tuple[str, float], ...] = (
    ("people familiar with", 0.6),
    ("person familiar with", 0.6),
    ("according to ~2 sources", 0.6),
    ("said to be", 0.6),
    ("is said to", 0.6),
    ("are said to", 0.6),
    ("in ~1 talks to|with|for", 0.6),
    ("market talk", 0.45),
    ("word on the street", 0.4),
    ("could not be verified|confirmed", 0.4),
    ("not been confirmed|verified", 0.45),
    ("declined to comment", 0.75),
)

INTENSIFIERS: dict[str, float] = {
    "sharply": 1.35,
    "significantly": 1.25,
    "substantially": 1.3,
    "strongly": 1.25,
    "massively": 1.4,
    "massive": 1.35,
    "huge": 1.35,
    "dramatically": 1.35,
    "steeply": 1.35,
    "severely": 1.35,
    "severe": 1.3,
    "heavily": 1.25,
    "widely": 1.1,
    "very": 1.15,
    "highly": 1.15,
    "deeply": 1.25,
    "steep": 1.3,
    "sharp": 1.3,
    "handily": 1.3,
    "easily": 1.2,
    "major": 1.2,
    "materially": 1.2,
    "well": 1.15,
    "far": 1.15,
    "much": 1.15,
    "big": 1.15,
    "biggest": 1.2,
    "worst": 1.2,
    "best": 1.1,
    "badly": 1.3,
}
DIMINISHERS: dict[str, float] = {
    "slightly": 0.5,
    "modestly": 0.6,
    "marginally": 0.45,
    "somewhat": 0.6,
    "narrowly": 0.7,
    "barely": 0.4,
    "partly": 0.6,
    "partially": 0.6,
    "slight": 0.5,
    "modest": 0.6,
    "marginal": 0.5,
    "minor": 0.5,
    "mildly": 0.5,
    "little": 0.6,
    "limited": 0.6,
    "small": 0.7,
    "less": 0.4,
    "fewer": 0.4,
}
