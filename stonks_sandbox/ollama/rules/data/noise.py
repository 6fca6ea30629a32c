"""What carries no news: legal boilerplate, signatures, contact lines, and lines that address a model instead of a reader."""

# A line with one of these says nothing about the company's fortunes (lower case, plain words).
BOILERPLATE_MARKERS: tuple[str, ...] = (
    "forward-looking statement",
    "forward looking statement",
    "forward-looking information",
    "private securities litigation reform act",
    "safe harbor",
    "safe harbour",
    "actual results may differ",
    "actual results could differ",
    "differ materially",
    "undertakes no obligation",
    "undertake no obligation",
    "no obligation to update",
    "assumes no obligation",
    "does not intend to update",
    "risks and uncertainties",
    "risk factors",
    "pursuant to the requirements of the securities exchange act",
    "duly caused this report to be signed",
    "shall not be deemed",
    "not be deemed to be",
    'deemed "filed"',
    "deemed “filed”",
    "incorporated by reference",
    "incorporated herein by reference",
    "incorporated by reference herein",
    "qualified in its entirety by reference",
    "is attached as exhibit",
    "attached hereto as exhibit",
    "filed as exhibit",
    "furnished as exhibit",
    "is furnished herewith",
    "emerging growth company",
    "revised financial accounting standards",
    "soliciting material pursuant to",
    "pre-commencement communications",
    "written communications pursuant to rule",
    "check the appropriate box",
    "exact name of registrant",
    "cover page interactive data",
    "inline xbrl",
    "non-gaap financial measures",
    "non-gaap measures are",
    "non-gaap financial information",
    "non-gaap items",
    "use of non-gaap",
    "events of default",
    "affirmative and negative covenants",
    "customary covenants",
    "customary closing conditions",
    "customary representations",
    "customary conditions",
    "usual and customary",
    "change in control severance",
    "not a substitute for",
    "should not be considered in isolation",
    "reconciliation of",
    "reconciliations of",
    "conference call",
    "live webcast",
    "audio webcast",
    "will be webcast",
    "webcast replay",
    "for media inquiries",
    "all rights reserved",
    "registered trademark",
    "trademarks of",
    "this press release contains",
    "does not constitute an offer",
    "shall not constitute an offer",
    "not an offer to sell",
    "not investment advice",
    "for informational purposes only",
    "cookie policy",
    "sign up for our newsletter",
    "subscribe to our",
    "click here to",
    "terms of use",
    "is listed on the nasdaq",
    "no family relationship",
    "related party transaction",
    "item 404(a)",
    "indemnification agreement",
    "prior to joining",
    "prior to that",
    "previously served",
    "has served as",
    "has also served",
    "served in various",
    "held leadership positions",
    "various finance leadership",
    "years of experience",
    "decades of experience",
    "decades of leadership",
    "decades of",
    "holds a bachelor",
    "holds a master",
    "bachelor of",
    "degree from",
    "serves on the board",
    "during his tenure",
    "during her tenure",
    "as ceo, he led",
    "as ceo, she led",
    "will respond to questions",
    "conference materials",
    "arrangement or understanding",
)
# The titles that the items of a Form 8-K carry; a line that is one says nothing more than its number.
ITEM_TITLES = (
    "departure of directors",
    "compensatory arrangements of certain officers",
    "of certain officers",
    "results of operations and financial condition",
    "regulation fd disclosure",
    "financial statements and exhibits",
    "other events",
    "entry into a material definitive",
    "termination of a material definitive",
    "creation of a direct financial obligation",
    "submission of matters to a vote",
    "amendments? to articles of incorporation",
    "unregistered sales of equity",
    "material modifications? to rights",
    "completion of acquisition or disposition",
    "material cybersecurity incidents",
    "costs? associated with exit",
    "material impairments",
    "notice of delisting",
    "changes in control",
    "changes in registrant",
    "bankruptcy or receivership",
    "an off-balance sheet arrangement",
)
# A heading that opens a section without news; it lasts until the next heading or the next item.
SILENT_HEADINGS = (
    (
        r"(?:cautionary |special )?(?:note|notice|statement|language|information)?s?\s*(?:regarding|concerning|about|on|as to)?\s*"
        r"forward[- ]looking (?:statements?|information)"
    ),
    r"safe harbou?r(?: statement)?",
    r"about (?!the (?:quarter|results|acquisition))[A-Z][\w&.,’' -]{1,50}",
    r"signatures?",
    (
        r"(?:use of |about |discussion of |notes? (?:on|regarding) )?non-gaap (?:financial )?"
        r"(?:measures?|information|disclosures?)[\w ]*"
    ),
    r"(?:investor|media|press|company)(?: relations)? contacts?:?.*",
    r"contacts?:?",
    r"conference call(?: and webcast)?(?: information| details)?",
    r"webcast(?: information)?",
    r"exhibit index",
    r"disclaimers?",
    r"legal (?:notice|disclaimer)s?",
    r"supplemental information regarding .*",
)
# A heading that surely opens something else.
SPEAKING_HEADINGS = (
    r"item\s*\d\.\d\d.*",
    r"exhibit\s*99.*",
    r".*\b(?:results|highlights|outlook|guidance|summary|financial review|targets|news release|for immediate release)\b.*",
)

# Lines that speak to a model. Whatever they say is ignored, and so is the rest of their line.
ADDRESS_PATTERNS: tuple[str, ...] = (
    (
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|prompts?"
        r"|guidelines|system|schema|previous|prior|above"
        r"|everything before|earlier text)\b"
    ),
    (
        r"\b(?:previous|prior|above|earlier|original|following|new|updated|real"
        r"|actual)\s+(?:instructions|prompts?)\b"
    ),
    r"\b(?:system|developer|assistant|hidden|secret)\s+(?:prompt|message|instructions?|override)\b",
    r"^\W*(?:system|assistant|user|human|developer|instructions?|admin)\s*(?:\]|>|:|#)",
    (
        r"<\|?/?(?:im_start|im_end|system|assistant|user|endoftext|eot_id|start_header_id|s|sys"
        r"|inst|document|companies|thesis)\|?>"
    ),
    r"\[/?(?:inst|system|sys|assistant)\]",
    r"#{2,}\s*(?:instruction|system|response|assistant|user|task)",
    r"\b(?:you are|you're)\s+now\b",
    (
        r"\b(?:you are|you're|act as|pretend (?:to be|that you)|behave as|roleplay as"
        r"|imagine you are)\b.{0,30}"
        r"\b(?:ai|assistant|language model|llm|bot|chatbot|gpt|dan|unrestricted|helpful)\b"
    ),
    (
        r"\bas an? (?:ai|artificial intelligence|llm|large language|language)\b.{0,20}\b(?:model"
        r"|assistant|you)\b"
    ),
    (
        r"\b(?:dear|attention|note (?:to|for)|message (?:to|for)|hey|hello|instructions? (?:for"
        r"|to))\W{0,3}(?:the |all |any )?"
        r"(?:ai|a\.i\.|llms?|language models?|assistant|chatbot|bot|extractors?|models?|automated"
        r"|summari[sz]ers?)\b"
    ),
    (
        r"\b(?:ai|llm|language|extraction|automated)\s?(?:models?|assistants?|agents?|systems?"
        r"|readers?|tools?)?\b.{0,20}"
        r"\b(?:reading|processing|parsing|ingesting|analy[sz]ing|summari[sz]ing) this\b"
    ),
    (
        r"\b(?:respond|reply|answer|output|print|emit)\b.{0,30}\b(?:json|only with|exactly|verbatim"
        r"|the following|schema|in this format)\b"
    ),
    r"\b(?:return|produce|generate)\b.{0,30}\b(?:json|schema)\b",
    (
        r"\b(?:set|assign|mark|rate|score|label|classify|report|change|force|make|give|put|treat"
        r"|record|use)\b.{0,60}"
        r"\b(?:sentiment|catalyst|severity|confidence|horizon|impact)s?(?: (?:score|value|field"
        r"|rating|level))?\s*"
        r"(?:to|as|of|=|:|is|at)?\s*[\"'`]?(?:[-+]?[01]?\.\d+|[-+]?1(?:\.0+)?\b(?![.,%\d])"
        r"|0\b(?![.,%\d])|strongly |very |extremely |maximum|max\b"
        r"|minimum|positive|negative|bullish|bearish|neutral|critical\b|high\b|earnings_|guidance_"
        r"|merger_|contract_)"
    ),
    (
        r"\b(?:sentiment|catalyst|severity|confidence|impact)\s*(?:score|value)?\s*(?:=|:|must be"
        r"|should be|shall be|has to be|is to be)\s*[\"'`]?"
        r"(?:[-+]?[01]?\.\d+|[-+]?1\b(?![.,%\d])|positive|negative|bullish|bearish|maximum|max\b"
        r"|high\b|critical\b|[a-z]+_[a-z]+)"
    ),
    (
        r"[\"'“”](?:ticker|sentiment|impact|impacts|catalyst|horizon|confidence|quote|severity"
        r"|summary|thesis|role|content|is_macro_event)"
        r"[\"'“”]\s*:"
    ),
    (
        r"\bthe (?:correct|right|expected|only valid|true|required) (?:answer|output|response|json"
        r"|extraction|classification)\b"
    ),
    r"\bEND (?:DOCUMENT|COMPANIES|THESIS)\b",
    r"\b(?:jailbreak|prompt injection|do anything now|developer mode|god mode)\b",
    r"^\W*(?:END |BEGIN |START )?(?:DOCUMENT|COMPANIES|THESIS)\b(?:\s+\S+)?\W*$",
    (
        r"\byour (?:task|instructions?|output|answer|response|classification|extraction|training"
        r"|guidelines)\b.{0,20}"
        r"\b(?:is|are|was|were|has|must|should|shall|will)\b"
    ),
    (
        r"^\W*(?:do not|don't|never) (?:mention|extract|report|include|output|follow|analy[sz]e"
        r"|reveal|tell)\b"
    ),
    (
        r"\b(?:mark|rate|label|classify|treat|score|flag|tag|summari[sz]e)\b.{0,30}\b(?:this"
        r"|the (?:article|document|text|story|filing))\b.{0,12}\bas\b"
    ),
    r"```|\{\s*[\"“]|[\"”]\s*\}",
)
_HINT_WORDS = """
    instruction prompt ignore disregard forget override bypass system assistant user human developer
    json schema sentiment confidence catalyst severity impact horizon jailbreak roleplay llm chatbot
    admin verbatim ticker extractor summariz summaris respond document companies thesis pretend exactly
    answer output response extraction classification never dear attention message hey hello role
"""
_HINT_PHRASES = """
    you_are; you're; act_as; behave_as; imagine_you; as_an_ai; as_a_l; language_model; _this; only_with;
    the_following; the_article; the_text; the_story; the_filing; anything_now; developer_mode; god_mode;
    your_; do_not; don't; note_
"""
# Of these (a `_` stands for a blank) at least one is in every such line: a cheap test before the patterns.
ADDRESS_HINTS: tuple[str, ...] = (
    *_HINT_WORDS.split(),
    *(phrase.strip().replace("_", " ") for phrase in _HINT_PHRASES.split(";")),
    "<s",
    ">",
    "[",
    "##",
    "```",
    '{"',
    "{",
    '":',
    "”:",
    "':",
    '"}',
    '" }',
)
# How a line must begin, after one that addressed a model, to be taken for more of the same.
CONTINUATION = (
    r"^\W*(?:report|output|say|set|respond|answer|rate|assign|classify|mark|treat|write|return|print|include|use|give|do not|don't"
    r"|always|instead|you|your|please|then|make sure|ensure|must|conclude|claim|state|declare it|pretend|remember|from now"
    r"|and then|otherwise|failure to comply|this is an order|start your|end your|execute|comply|obey|repeat|replace|extract)\b"
)
