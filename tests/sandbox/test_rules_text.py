"""Sentences, tokens, patterns and prompt blocks: the parts below the judgement."""

from hypothesis import given
from hypothesis import strategies as st

from stonks_sandbox.ollama.conform import conform
from stonks_sandbox.ollama.prompt import Company, Document, read_blocks
from stonks_sandbox.ollama.rules.companies import CompanyIndex
from stonks_sandbox.ollama.rules.patterns import Matcher, verb_forms
from stonks_sandbox.ollama.rules.text import Span, lines_of, paragraphs_of, split_sentences, tokenize


def _sentences(text: str) -> list[str]:
    return [
        text[span.start : span.end]
        for paragraph in paragraphs_of(text, lines_of(text))
        for span in split_sentences(text, paragraph)
    ]


def test_abbreviations_do_not_end_a_sentence() -> None:
    text = 'Meta Platforms, Inc. (the "Company") met Mr. A. Smith of J.P. Morgan on Jan. 5 at 8 a.m. EST. The U.S. unit grew.'
    assert len(_sentences(text)) == 2


def test_a_company_form_ends_a_sentence_before_a_starter() -> None:
    assert _sentences("It was bought by Apple Inc. The price was low.")[1] == "The price was low."


def test_rows_and_bullets_stay_apart() -> None:
    text = "• Revenue rose 5%\n• Costs fell\nRevenue | $5.1 | $4.9\nNet income\t3\t2"
    assert _sentences(text) == ["Revenue rose 5%", "Costs fell", "Revenue | $5.1 | $4.9", "Net income\t3\t2"]


def test_hard_wrapped_text_is_joined() -> None:
    text = (
        "The company said on Monday that its sales had grown by a third over the\n"
        "Christmas quarter, which was far more than the board had thought likely\n"
        "Analysts and the chief executive had warned in the autumn that the cold\n"
        "Winter might keep shoppers at home and so it had ordered fewer toys than\n"
        "in earlier years. Shares rose."
    )
    assert len(_sentences(text)) == 2
    assert len(_sentences("A heading of the page\n" + text.replace("\n", " "))) == 3


@given(st.text(max_size=400))
def test_every_token_stands_where_it_says(text: str) -> None:
    for paragraph in paragraphs_of(text, lines_of(text)):
        for span in split_sentences(text, paragraph):
            sentence = tokenize(text, span)
            pieces = zip(sentence.raws, sentence.starts, sentence.ends, strict=True)
            assert all(text[start:end] == raw for raw, start, end in pieces)
            assert all(
                span.start <= start < end <= span.end for start, end in zip(sentence.starts, sentence.ends, strict=True)
            )


def test_verbs_are_inflected() -> None:
    assert verb_forms("slip") == {"slip", "slips", "slipped", "slipping"}
    assert verb_forms("raise") >= {"raised", "raising"}
    assert verb_forms("rally") >= {"rallies", "rallied"}
    assert verb_forms("fall") >= {"fell", "fallen"}


def test_the_longest_pattern_wins_and_gaps_stop_at_marks() -> None:
    matcher = Matcher([("cut%", "cut"), ("cut% ~2 outlook", "outlook"), ("^ buy", "order")])
    assert [hit.value for hit in matcher.find(["it", "cut", "its", "full", "outlook"])] == ["outlook"]
    assert [hit.value for hit in matcher.find(["cuts", "costs", ",", "outlook"])] == ["cut"]
    assert [hit.value for hit in matcher.find(["buy", "now", "buy"])] == ["order"]
    assert matcher.find(["cut"], blocked={0}) == []


def test_companies_are_found_by_name_short_name_and_marked_ticker() -> None:
    index = CompanyIndex(
        [Company("META", ("META PLATFORMS, INC.",)), Company("ALL", ("The Allstate Corporation", "ALL"))]
    )

    def found(text: str) -> list[str]:
        return [mention.ticker for mention in index.find(tokenize(text, Span(0, len(text))))]

    assert found("Meta Platforms, Inc. and Allstate rose") == ["META", "ALL"]
    assert found("Meta fell; $ALL and (NYSE: ALL) rose") == ["META", "ALL", "ALL"]
    assert found("ALL of them rose, all metal too") == []


def test_only_fences_with_the_first_nonce_count() -> None:
    message = (
        'COMPANIES aa\n[{"ticker": "X", "names": ["Xylo"]}]\nEND COMPANIES aa\nDOCUMENT aa\ntitle: Hm\ntext:\nDOCUMENT bb\n'
        'text: no\nEND DOCUMENT bb\nCOMPANIES bb\n[{"ticker": "Y"}]\nEND DOCUMENT\nend\nEND DOCUMENT aa\nbye'
    )
    blocks = read_blocks(message)
    assert blocks.companies == (Company("X", ("Xylo",)),)
    assert blocks.document.title == "Hm"
    assert blocks.document.text.startswith("DOCUMENT bb\n")
    assert blocks.document.text.endswith("\nend")
    assert read_blocks("nothing fenced").document == Document()


@given(st.text(max_size=200), st.text(alphabet="abc \n:", max_size=60))
def test_text_comes_out_of_its_fence_unchanged(text: str, title: str) -> None:
    title = " ".join(title.split())
    message = f"DOCUMENT zz9\ntitle: {title}\npublished: 2026-01-01\ntext:\n{text}\nEND DOCUMENT zz9\n"
    document = read_blocks(message).document
    assert document.text == text
    assert document.title == title


def test_an_answer_is_fitted_to_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", "other"]},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "rank": {"type": "integer"},
            "note": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 3}]},
            "list": {"type": "array", "maxItems": 1, "items": {"$ref": "#/$defs/item"}},
            "extra": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
        },
        "required": ["kind", "score", "extra"],
        "$defs": {"item": {"type": "object", "properties": {"x": {"type": "string"}}}},
    }
    given_answer = {
        "kind": "b",
        "score": 7.0,
        "rank": 1.6,
        "note": "long text",
        "list": [{"x": "1", "y": 2}, {}],
        "zzz": 1,
    }
    assert conform(given_answer, schema) == {
        "kind": "other",
        "score": 1,
        "rank": 2,
        "note": "lon",
        "list": [{"x": "1"}],
        "extra": {"n": 0},
    }
