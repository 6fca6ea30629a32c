"""Several servers as one: spread by load, passed over while they rest, and said which of them lacks the model."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stonks_assets.extraction.asking import LlmTooSlowError, LlmUnavailableError, ModelMissingError
from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.prompts import Prompt
from tests.assets.extraction.planned import Planned, hangs, planned, says, status

PROMPT = Prompt("document-extractor", "System words.", "User words. " * 40, {"type": "object", "properties": {}})
OPTIONS = {"num_ctx": 4096, "num_predict": 256}
NOWHERE = "http://127.0.0.1:1"


class Ticking:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def pool(*urls: str, retries: int = 0, clock: Ticking | None = None, timeout: float = 5) -> OllamaClient:
    ticking = clock or Ticking()
    return OllamaClient(list(urls), timeout=timeout, max_retries=retries, sleep=lambda _: None, monotonic=ticking)


def ask(client: OllamaClient) -> str:
    return client.chat("tiny", "d1", PROMPT, OPTIONS).content


def test_requests_go_where_fewest_are_in_flight() -> None:
    slow_may_end = threading.Event()

    def slowly(server: Planned, body: dict[str, object]) -> tuple[int, bytes] | None:
        slow_may_end.wait(10)
        return says("{}")(server, body)

    with (
        planned(*[slowly] * 9) as slow,
        planned(*[says("{}")] * 99) as fast,
        pool(slow.url, fast.url) as client,
        ThreadPoolExecutor(2) as threads,
    ):
        first = threads.submit(ask, client)
        while not (slow.asked or fast.asked):
            pass
        if fast.asked:
            first.result()
            first = threads.submit(ask, client)
            while not slow.asked:
                pass
        before = len(slow.asked)
        for _ in range(6):
            ask(client)
        assert len(slow.asked) == before == 1
        slow_may_end.set()
        assert first.result() == "{}"


def test_idle_servers_take_turns() -> None:
    with planned(*[says("{}")] * 9) as one, planned(*[says("{}")] * 9) as two, pool(one.url, two.url) as client:
        for _ in range(8):
            ask(client)
        assert (len(one.asked), len(two.asked)) == (4, 4)


def test_a_server_that_is_down_rests_and_is_tried_again_afterwards() -> None:
    clock = Ticking()
    with (
        planned(status(503), says("{}")) as one,
        planned(*[says("{}")] * 9) as two,
        pool(one.url, two.url, clock=clock) as client,
    ):
        for _ in range(4):
            assert ask(client) == "{}"
        assert (len(one.asked), len(two.asked)) == (1, 4)
        clock.now += 6
        ask(client)
        assert (len(one.asked), len(two.asked)) == (2, 4)


def test_it_rests_the_longer_the_more_often_it_failed_and_at_most_a_minute() -> None:
    clock = Ticking()
    with (
        planned(*[status(503)] * 50) as one,
        planned(*[says("{}")] * 200) as two,
        pool(one.url, two.url, clock=clock) as client,
    ):
        tried = []
        for _ in range(150):
            before = len(one.asked)
            ask(client)
            tried += [clock.now - 100] if len(one.asked) > before else []
            clock.now += 2
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert 4 <= gaps[0] <= 8
    assert 58 <= gaps[-1] <= 64


def test_when_all_are_down_each_is_named() -> None:
    with (
        planned(*[status(503)] * 9) as busy,
        pool(busy.url, NOWHERE, retries=1) as client,
        pytest.raises(LlmUnavailableError, match="busy or failing") as caught,
    ):
        ask(client)
    assert type(caught.value) is LlmUnavailableError


def test_a_model_that_one_server_lacks_is_said_once_and_the_others_are_asked(caplog: pytest.LogCaptureFixture) -> None:
    with planned() as without, planned(*[says("{}")] * 9) as having:
        without.models = {"else:latest": "x"}
        with pool(without.url, having.url) as client:
            assert client.digest("tiny") == "d1"
            for _ in range(4):
                ask(client)
        assert (len(without.asked), len(having.asked)) == (0, 4)
        said = [entry.getMessage() for entry in caplog.records if "ollama pull tiny" in entry.getMessage()]
        assert len(said) == 1
        assert without.url in said[0]
        having.models = {}
        with pool(without.url, having.url) as client, pytest.raises(ModelMissingError) as caught:
            client.digest("tiny")
        assert without.url in str(caught.value)
        assert having.url in str(caught.value)


def test_a_server_with_other_weights_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    with planned(*[says("{}")] * 9) as one, planned() as other:
        other.models = {"tiny:latest": "d2"}
        with pool(one.url, other.url) as client:
            for _ in range(4):
                ask(client)
        assert (len(one.asked), len(other.asked)) == (4, 0)
    assert "another version" in caplog.text


def test_slow_everywhere_is_too_slow() -> None:
    with (
        planned(hangs) as one,
        planned(hangs) as two,
        pool(one.url, two.url, timeout=0.2) as client,
        pytest.raises(LlmTooSlowError, match="OLLAMA_TIMEOUT"),
    ):
        ask(client)


def test_threads_that_waited_for_a_list_of_models_share_its_failure() -> None:
    with planned() as server, pool(server.url) as client:
        server.models = {}
        with ThreadPoolExecutor(8) as threads:
            errors = [f.exception() for f in [threads.submit(client.digest, "tiny") for _ in range(8)]]
    assert all(isinstance(error, ModelMissingError) for error in errors)
