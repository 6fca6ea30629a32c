"""Every module of the judging packages is either held to be pure by `.importlinter`, or named here as a shell."""

import ast
import configparser

from tests.gates.tracked import PROJECT, modules, text_of

JUDGING = ("aggregation", "extraction", "health", "outcomes", "parsing", "recommendation")
SHELLS = {
    "aggregation": {
        "assets",
        "competitive_step",
        "layers",
        "parts",
        "projection_rows",
        "projections_step",
        "signals_step",
        "trend_rows",
        "trends_step",
    },
    "extraction": {
        *("agent_store", "answers", "asking", "assets", "client", "joint_step", "lines", "macro_step", "metrics"),
        *("resolver", "server", "session", "shadow_step", "step", "workers"),
    },
    "health": {"flow", "judging", "tables"},
    "outcomes": {"assets", "step"},
    "parsing": {"assets", "step"},
    "recommendation": {"assets", "resolve", "rewriter", "step"},
}
"""What reads, asks or writes; `resolve` reads the lake on a step's behalf, and `parts` keeps files of its own."""


def _contract(name: str) -> set[str]:
    parser = configparser.ConfigParser()
    parser.read(PROJECT / ".importlinter")
    return set(parser[f"importlinter:contract:{name}"]["source_modules"].split())


def test_every_judging_module_is_pure_or_a_named_shell() -> None:
    pure = _contract("pure")
    for package in JUDGING:
        folder = PROJECT / "stonks_assets" / package
        found = {path.stem for path in modules("stonks_assets") if path.parts[1] == package} - {"__init__"}
        held = {name.rsplit(".", 1)[1] for name in pure if name.startswith(f"stonks_assets.{package}.")}
        assert not held & SHELLS[package]
        assert found <= held | SHELLS[package], f"{folder.name}: put new pure modules into .importlinter"
        assert held <= {path.stem for path in folder.glob("*.py")}, f"{folder.name}: .importlinter names what is gone"


def test_pure_modules_ask_no_clock_and_no_chance() -> None:
    pure = _contract("pure")
    for path in modules("stonks_assets", "stonks_trading"):
        name = ".".join(path.with_suffix("").parts)
        if not any(name == held or name.startswith(f"{held}.") for held in pure):
            continue
        for node in ast.walk(ast.parse(text_of(path) or "")):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in {"now", "utcnow", "today"}, f"{path}:{node.lineno} asks the clock"
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"random", "secrets", "time"}, f"{path}:{node.lineno}"
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"random", "secrets", "time"}, f"{path}:{node.lineno}"


def test_dagster_modules_keep_their_annotations_real() -> None:
    """`from __future__ import annotations` breaks Dagster's check of the context's type."""
    for path in modules("stonks_assets"):
        assert "from __future__ import annotations" not in (text_of(path) or ""), f"{path}: leave it out"
