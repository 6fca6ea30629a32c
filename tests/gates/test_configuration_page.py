"""The page of settings says what the settings say, and both know every variable of the reference."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from stonks_cli.reference import configuration_page
from stonks_core.settings import GONE, Settings, load_settings, variables
from tests.gates.tracked import PROJECT

PAGE = PROJECT / "docs" / "configuration.md"
REFERENCE = PROJECT.parent / "shared" / "reference" / "services.md"
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \| (.*?) \|", re.MULTILINE)
DERIVED = {"POSTGRES_DB": "stonks", "TRADING_ENABLED": "false"}
"""Defaults that are worked out of other settings; what they come to is tested by name below."""


def test_the_page_is_the_settings() -> None:
    assert PAGE.exists(), "docs/configuration.md is missing: run `make docs`"
    assert PAGE.read_text(encoding="utf-8") == configuration_page(), "the settings have changed: run `make docs`"


def test_every_variable_stands_on_the_page_once() -> None:
    named = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert sorted(name for name, _ in named) == sorted(variable for _, _, variable, _ in variables())


def test_every_variable_is_described_and_named_like_one() -> None:
    for _, model, variable, info in variables():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", variable), f"{model.__name__} has a field without a variable"
        assert info.description, f"{variable} is not described"


def test_no_variable_is_both_read_and_gone() -> None:
    read = {variable for _, _, variable, _ in variables()}
    assert not read & set(GONE)


@pytest.fixture(scope="module")
def reference() -> Path:
    if not REFERENCE.exists():
        pytest.skip("the reference (../shared/reference/services.md) is not here")
    return REFERENCE


def test_every_variable_of_the_reference_is_a_setting_with_its_default(reference: Path) -> None:
    fields = {
        info.alias: (slice_name, name)
        for slice_name, model, _, _ in variables()
        for name, info in model.model_fields.items()
    }
    stated = dict(ROW.findall(reference.read_text(encoding="utf-8")))
    assert len(stated) > 50
    for variable, default in stated.items():
        if variable in GONE:
            continue
        assert variable in fields, f"the reference names {variable}, and no setting reads it"
        if variable in DERIVED:
            assert default.strip("`") == DERIVED[variable]
            continue
        slice_name, name = fields[variable]
        given = {} if default.startswith("_(") else {variable: default.strip("`")}
        ours = getattr(getattr(Settings(), slice_name), name)
        if not given:
            blank = ours.get_secret_value() if isinstance(ours, SecretStr) else ours
            assert not blank, f"{variable} defaults to {blank!r} where the reference has none"
            continue
        assert getattr(getattr(load_settings(given), slice_name), name) == ours, (
            f"{variable}: {default} by the reference"
        )


def test_the_defaults_that_are_worked_out(reference: Path) -> None:
    assert Settings().database_name == DERIVED["POSTGRES_DB"]
    assert load_settings({"BROKER_API_KEY": "key", "BROKER_API_SECRET": "secret"}).trading_enabled is False


def test_families_of_the_reference_are_covered(reference: Path) -> None:
    """`POSTGRES_*` and the like stand for variables that the shared section names one by one."""
    read = {variable for _, _, variable, _ in variables()} | set(GONE)
    for family in set(re.findall(r"`([A-Z]+_)\*`", reference.read_text(encoding="utf-8"))):
        assert any(name.startswith(family) for name in read), f"no setting of the family {family}*"
