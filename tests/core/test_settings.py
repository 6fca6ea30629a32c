"""Settings: every bad value is refused in one sentence, precedence, what is worked out, and contradictions."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from stonks_core.errors import SettingsError
from stonks_core.settings import SLICES, Settings, load_settings, variables
from stonks_core.settings.refusal import allowed, sentence
from stonks_core.vocabulary import RiskTier

FIELDS: dict[str, FieldInfo] = {variable: info for _, _, variable, info in variables()}
SECRETS = {name for name, info in FIELDS.items() if info.annotation is SecretStr}
FREE = {"STONKS_HOME", "POSTGRES_USER", "OLLAMA_MODEL", "SANDBOX_RECORDED", "SANDBOX_ACTIONS"}
"""Variables that any text may be given to."""
BOUNDED = sorted(set(FIELDS) - SECRETS - FREE)
NUMBERS = [name for name in BOUNDED if allowed(FIELDS[name]).startswith(("a whole number", "a number", "an amount"))]
ALPACA = {"BROKER_API_KEY": "key-1234", "BROKER_API_SECRET": "secret-1234"}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    return str(caught.value)


@pytest.mark.parametrize("variable", BOUNDED)
def test_a_bad_value_is_named_with_what_is_allowed(variable: str) -> None:
    said = refusal({variable: "not @ll right!"})
    assert said.startswith(f"{variable} is 'not @ll right!', but it must be ")
    assert allowed(FIELDS[variable]) in said
    assert str(FIELDS[variable].description) in said
    assert "\n" not in said


@pytest.mark.parametrize("variable", NUMBERS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e12"])
def test_no_number_is_without_bounds(variable: str, value: str) -> None:
    assert variable in refusal({variable: value})


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("STONKS_API_PORT", "a whole number from 1 to 65535"),
        ("OLLAMA_TIMEOUT", "a number above 0 and at most 31622400"),
        ("TRADING_ABSOLUTE_POSITION_CAP", "an amount from 0 to 1000000000"),
        ("BROKER_MODE", "one of paper, live"),
        ("BROKER_LIVE_CONFIRM", "one of (empty), I accept real losses"),
        ("TRADING_RISK_TIER", "one of conservative, moderate, aggressive"),
        ("TRADING_ENABLED", "true or false"),
        ("EDGAR_CONTACT", r"text that matches ^$|^[^@\s]+@[^@\s]+\.[^@\s]+$"),
        ("POSTGRES_USER", "text that is not empty"),
    ],
)
def test_what_is_allowed_is_said_in_words(variable: str, words: str) -> None:
    assert allowed(FIELDS[variable]) == words


@pytest.mark.parametrize("variable", sorted(SECRETS))
def test_a_secret_is_never_shown(variable: str) -> None:
    assert "(hidden)" in sentence(FIELDS[variable], {variable: "hunter22"})
    assert "hunter22" not in sentence(FIELDS[variable], {variable: "hunter22"})
    given_with = {variable: "hunter22", "STONKS_API_PORT": "no"}
    assert "hunter22" not in refusal(given_with)
    assert "hunter22" not in repr(load_settings({**ALPACA, variable: "hunter22"}))


def test_every_bad_value_is_told_at_once() -> None:
    said = refusal({"STONKS_API_PORT": "0", "OLLAMA_TIMEOUT": "-3", "LOG_LEVEL": "LOUD"}).splitlines()
    assert [line.split()[0] for line in said] == ["LOG_LEVEL", "STONKS_API_PORT", "OLLAMA_TIMEOUT"]


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)), st.text(st.characters(exclude_characters="\x00"), max_size=30), max_size=6
    )
)
def test_any_environment_is_taken_or_refused_by_name(environment: dict[str, str]) -> None:
    said = ""
    try:
        settings = load_settings(environment)
    except SettingsError as error:
        said = str(error)
    else:
        assert settings.database_name
        assert settings.endpoints.model
    assert all(line.split()[0] in FIELDS for line in said.splitlines())


@given(st.integers(-10, 70_000))
def test_ports_are_taken_exactly_within_their_bounds(port: int) -> None:
    if 1 <= port <= 65_535:
        assert load_settings({"STONKS_API_PORT": str(port)}).ports.api == port
    else:
        assert "from 1 to 65535" in refusal({"STONKS_API_PORT": str(port)})


@given(st.decimals(0, 1_000_000_000, places=2))
def test_dollars_stay_exact(amount: Decimal) -> None:
    assert load_settings({"TRADING_ABSOLUTE_POSITION_CAP": str(amount)}).trading.absolute_position_cap == amount


def test_unknown_variables_are_none_of_our_business() -> None:
    assert load_settings({"PATH": "/bin", "REDIS_HOST": "somewhere"}) == Settings()


@pytest.mark.parametrize("variable", sorted(FIELDS))
def test_an_empty_value_counts_as_unset(variable: str) -> None:
    assert load_settings({variable: ""}) == Settings()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("OLLAMA_MODEL=from-file\nLOG_LEVEL=DEBUG\nDEPLOY_STAGE=\n# LOG_LEVEL=ERROR\n", encoding="utf-8")
    settings = load_settings({"OLLAMA_MODEL": "from-environment", "LOG_LEVEL": ""}, file)
    assert (settings.ollama.model, settings.general.log_level) == ("from-environment", "DEBUG")
    assert load_settings({}, tmp_path / "absent") == Settings()


def test_a_dollar_in_the_file_is_a_dollar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_OF_X", "leaked")
    file = tmp_path / ".env"
    file.write_text("POSTGRES_PASSWORD='a${HOME_OF_X}$b'\n", encoding="utf-8")
    assert load_settings({}, file).postgres.password.get_secret_value() == "a${HOME_OF_X}$b"


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read as settings"):
        load_settings({}, file)


def test_a_folder_of_that_name_is_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert load_settings({}, tmp_path / ".env") == Settings()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"BROKER_API_KEY": "key"}, "BROKER_API_SECRET is not"),
        ({"BROKER_API_SECRET": "secret"}, "BROKER_API_KEY is not"),
        ({**ALPACA, "BROKER_MODE": "live"}, "I accept real losses"),
        ({"BROKER_MODE": "live", "BROKER_LIVE_CONFIRM": "I accept real losses"}, "BROKER_API_KEY is not set"),
        ({**ALPACA, "MARKET_DATA_PROVIDER": "polygon"}, "MARKET_DATA_API_KEY is not set"),
        ({"MARKET_DATA_API_KEY": "key", "MARKET_DATA_PROVIDER": "alpaca"}, "BROKER_API_KEY is not set"),
    ],
)
def test_settings_that_contradict_each_other(environment: dict[str, str], words: str) -> None:
    assert words in refusal(environment)


def test_live_needs_the_exact_words() -> None:
    live = {**ALPACA, "BROKER_MODE": "live"}
    assert "BROKER_LIVE_CONFIRM" in refusal({**live, "BROKER_LIVE_CONFIRM": "yes"})
    settings = load_settings({**live, "BROKER_LIVE_CONFIRM": "I accept real losses"})
    assert settings.endpoints.trading == "https://api.alpaca.markets"
    assert settings.trading_enabled is False


def test_with_nothing_configured_the_sandbox_plays_everything() -> None:
    settings = load_settings({"SANDBOX_URL": "http://127.0.0.1:4000"})
    assert set(settings.sandboxed.values()) == {True}
    ends = settings.endpoints
    assert (ends.polygon, ends.edgar_www, ends.edgar_data) == (
        "http://127.0.0.1:4000/polygon",
        "http://127.0.0.1:4000/edgar/www",
        "http://127.0.0.1:4000/edgar/data",
    )
    assert (ends.trading, ends.trading_stream) == ("http://127.0.0.1:4000/alpaca", "ws://127.0.0.1:4000/alpaca/stream")
    assert (ends.ollama, ends.model) == ("http://127.0.0.1:4000/ollama", "stonks-rules:latest")
    assert settings.postgres.embedded
    assert settings.minio.local


@pytest.mark.parametrize(
    ("part", "environment", "address"),
    [
        ("market_data", {"MARKET_DATA_API_KEY": "key"}, lambda e: e.polygon == "https://api.polygon.io"),
        ("edgar", {"EDGAR_CONTACT": "a@b.example"}, lambda e: e.edgar_data == "https://data.sec.gov"),
        (
            "llm",
            {"OLLAMA_BASE_URL": "http://gpu:11434"},
            lambda e: (e.ollama, e.model) == ("http://gpu:11434", "qwen3.5:9b"),
        ),
    ],
)
def test_each_part_leaves_the_sandbox_alone(
    part: str, environment: dict[str, str], address: Callable[[Any], bool]
) -> None:
    settings = load_settings({"SANDBOX_URL": "http://127.0.0.1:4000", **environment})
    assert [name for name, played in settings.sandboxed.items() if not played] == [part]
    assert address(settings.endpoints)


def test_a_broker_s_key_is_one_for_its_data_too() -> None:
    settings = load_settings({"SANDBOX_URL": "http://127.0.0.1:4000", **ALPACA})
    assert [name for name, played in settings.sandboxed.items() if not played] == ["market_data", "broker"]
    assert settings.endpoints.trading_stream == "wss://paper-api.alpaca.markets/stream"
    assert settings.endpoints.trading_data == "https://data.alpaca.markets"


POLYGON = {"MARKET_DATA_API_KEY": "key"}


@pytest.mark.parametrize(
    ("environment", "provider"),
    [
        ({}, "polygon"),
        (POLYGON, "polygon"),
        (ALPACA, "alpaca"),
        ({**POLYGON, **ALPACA}, "polygon"),
        ({**POLYGON, **ALPACA, "MARKET_DATA_PROVIDER": "alpaca"}, "alpaca"),
        ({"MARKET_DATA_PROVIDER": "alpaca"}, "alpaca"),
        ({**POLYGON, "MARKET_DATA_PROVIDER": "polygon"}, "polygon"),
    ],
)
def test_who_is_asked_for_market_data(environment: dict[str, str], provider: str) -> None:
    assert load_settings(environment).market_data_provider == provider


@pytest.mark.parametrize(
    ("environment", "calendar", "trading"),
    [
        ({}, "24/7", True),
        ({"SANDBOX_RECORDED": "somewhere"}, "XNYS", True),
        (ALPACA, "XNYS", False),
        ({**ALPACA, "TRADING_ENABLED": "true"}, "XNYS", True),
        ({"TRADING_ENABLED": "false"}, "24/7", False),
        ({"MARKET_CALENDAR": "XLON"}, "XLON", True),
    ],
)
def test_calendar_and_trading_follow_the_broker(environment: dict[str, str], calendar: str, trading: bool) -> None:
    settings = load_settings(environment)
    assert (settings.calendar_name, settings.trading_enabled) == (calendar, trading)


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, ("", "stonks", "dagster")),
        ({"DEPLOY_STAGE": "blue-2"}, ("blue-2-", "blue_2_stonks", "blue_2_dagster")),
        ({"POSTGRES_DB": "mine"}, ("", "mine", "mine_dagster")),
    ],
)
def test_the_stage_stands_before_every_name(environment: dict[str, str], names: tuple[str, str, str]) -> None:
    settings = load_settings(environment)
    assert (settings.stage_prefix, settings.database_name, settings.dagster_database_name) == names


def test_another_stage_of_the_same_system_shares_no_name() -> None:
    own = load_settings({"DEPLOY_STAGE": "blue", "POSTGRES_DB": "mine", "OLLAMA_MODEL": "x"})
    other = own.with_stage("replay-1")
    assert (other.stage_prefix, other.database_name) == ("replay-1-", "replay_1_stonks")
    assert other.ollama == own.ollama


@pytest.mark.parametrize("stage", ["-a", "a-", "A", "a_b", "a" * 33, "a b", "../x"])
def test_a_stage_must_do_for_buckets_and_databases(stage: str) -> None:
    assert "DEPLOY_STAGE" in refusal({"DEPLOY_STAGE": stage})


@pytest.mark.parametrize("address", ["http://a:1,http://b:2", "https://a/x, http://b", "http://localhost:11434"])
def test_several_model_servers_may_be_named(address: str) -> None:
    assert load_settings({"OLLAMA_BASE_URL": address}).endpoints.ollama == address


@pytest.mark.parametrize("host", ["db.example", "10.0.0.1", "::1"])
def test_one_address_is_enough_for_an_own_server(host: str) -> None:
    assert not load_settings({"POSTGRES_HOST": host}).postgres.embedded
    assert load_settings({"POSTGRES_PASSWORD": "x"}).postgres.embedded


def test_slices_are_frozen_and_enumerations_are_ours() -> None:
    settings = load_settings({"TRADING_RISK_TIER": "aggressive"})
    assert settings.trading.risk_tier is RiskTier.AGGRESSIVE
    with pytest.raises(ValueError, match="frozen"):
        settings.trading.enabled = True  # type: ignore[misc]
    assert set(SLICES) == set(Settings.__dataclass_fields__)
