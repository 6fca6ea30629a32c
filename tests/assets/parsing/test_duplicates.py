"""Near-duplicate clusters: copies meet, templates do not, and the order of arrival does not matter."""

import random
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.parsing.duplicates import Member, assign_clusters, fingerprint, similarity

START = datetime(2026, 3, 2, tzinfo=UTC)
WORDS = [f"word{i}" for i in range(400)]


def story(seed: int, length: int = 150) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def member(name: str, text: str, minutes: int = 0, tickers: tuple[str, ...] = ()) -> Member:
    return Member(name, START + timedelta(minutes=minutes), fingerprint(text), frozenset(tickers))


def test_a_fingerprint_is_stable() -> None:
    text = "Orion Systems beats estimates and raises its outlook for the year"
    assert fingerprint(text) == fingerprint(text.upper() + "!")
    assert len(fingerprint(text)) == 4 + 4 * 128
    assert fingerprint("") == fingerprint("...") == b""


def test_similarity_of_equal_and_of_other_texts() -> None:
    one, other = fingerprint(" ".join(story(1))), fingerprint(" ".join(story(2)))
    assert similarity(one, one) == 1.0
    assert similarity(one, other) < 0.1
    assert similarity(one, b"") == 0.0


def test_a_light_rewrite_joins_and_the_earliest_is_the_origin() -> None:
    words = story(3)
    rewrite = [*words[:70], "rewritten", *words[71:]]
    found = assign_clusters(
        [member("b", " ".join(rewrite), 30), member("a", " ".join(words)), member("c", " ".join(story(4)), 5)], []
    )
    assert found["a"].cluster_id == found["b"].cluster_id == "a"
    assert found["b"].origin_document_id == "a"
    assert found["c"].cluster_id == "c"


def test_a_late_earlier_copy_joins_without_rewriting_history() -> None:
    text = " ".join(story(5))
    first = member("later", text, 60)
    known = replace(first, **asdict(assign_clusters([first], [])["later"]))
    found = assign_clusters([member("earlier", text, 0)], [known])
    assert (found["earlier"].cluster_id, found["earlier"].origin_document_id) == ("later", "later")


def test_one_template_about_two_companies_is_two_stories() -> None:
    text = " ".join(story(6))
    found = assign_clusters([member("a", text, 0, ("ORIN",)), member("b", text, 1, ("PETR",))], [])
    assert found["a"].cluster_id != found["b"].cluster_id


def test_the_same_text_weeks_later_is_another_story() -> None:
    text = " ".join(story(7))
    found = assign_clusters([member("a", text, 0), member("b", text, 60 * 24 * 5)], [])
    assert found["b"].cluster_id == "b"


def test_short_texts_are_copies_only_when_they_are_equal() -> None:
    found = assign_clusters(
        [member("a", "Orion beats"), member("b", "Orion beats", 1), member("c", "Orion falls", 2)], []
    )
    assert (found["b"].cluster_id, found["c"].cluster_id) == ("a", "c")


def test_empty_texts_never_meet() -> None:
    found = assign_clusters([member("a", ""), member("b", "", 1)], [])
    assert found["b"].cluster_id == "b"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3000)), min_size=1, max_size=12), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_arrival_does_not_matter(stories: list[tuple[int, int]], shuffle: random.Random) -> None:
    members = [member(f"d{i:02}", " ".join(story(seed)), minutes) for i, (seed, minutes) in enumerate(stories)]
    mixed = list(members)
    shuffle.shuffle(mixed)
    found = assign_clusters(members, [])
    assert found == assign_clusters(mixed, [])
    for assignment in found.values():
        assert found[assignment.origin_document_id].cluster_id == assignment.cluster_id
