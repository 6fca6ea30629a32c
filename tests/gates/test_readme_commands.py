"""What the README tells people to type exists: `stonks` commands with their options, and make's targets."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer.main

from stonks_cli.__main__ import app
from tests.gates.tracked import PROJECT, text_of, tracked_files

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)", re.MULTILINE)


def _typed() -> Iterator[tuple[str, list[str]]]:
    """Every command line of a code block of the README and the pages, with the file it stands in."""
    for path in tracked_files():
        if path.suffix != ".md":
            continue
        for block in FENCE.findall(text_of(path) or ""):
            for line in block.replace("\\\n", " ").splitlines():
                words = _words(line)
                for start, word in enumerate(words):
                    if word.rsplit("/", 1)[-1] in {"stonks", "make"} and (
                        start == 0 or words[start - 1] in {"&&", ";", "|", "exec"}
                    ):
                        yield str(path), words[start:]


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:
        return []
    while words and re.fullmatch(r"[A-Z][A-Z0-9_]*=.*", words[0]):
        words = words[1:]
    return words


def test_every_stonks_command_that_is_told_exists() -> None:
    for where, words in _typed():
        if not words[0].endswith("stonks") or len(words) == 1 or words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, f"{where} tells of `stonks {words[1]}`"
        command = COMMANDS[words[1]]
        for word in words[2:]:
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, f"{where} tells of `{' '.join(words)}`"
            command = command.commands[word]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        told = set() if words[1] == "run" else {word.split("=")[0] for word in words[2:] if word.startswith("--")}
        assert told <= known, f"{where} tells of `{' '.join(words)}`"


def test_every_make_target_that_is_told_exists() -> None:
    targets = set(TARGET.findall((PROJECT / "Makefile").read_text(encoding="utf-8")))
    for where, words in _typed():
        if words[0] != "make":
            continue
        told = [
            word
            for word in words[1:]
            if not word.startswith("-") and "=" not in word and re.fullmatch(r"[a-z-]+", word)
        ]
        assert set(told) <= targets, f"{where} tells of `{' '.join(words)}`"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does(name: str) -> None:
    assert COMMANDS[name].help, f"stonks {name} has no help"


def test_every_registry_command_says_what_it_does() -> None:
    waiting = [("registry", COMMANDS["registry"])]
    while waiting:
        name, command = waiting.pop()
        assert command.help, f"stonks {name} has no help"
        waiting += [(f"{name} {word}", below) for word, below in getattr(command, "commands", {}).items()]


def test_the_commands_of_the_first_issue_are_there() -> None:
    assert {"up", "demo", "replay", "doctor", "env", "orders", "why", "docs"} <= set(COMMANDS)
    for reporting in ("demo", "replay", "doctor", "orders", "why"):
        assert "--json" in {option for parameter in COMMANDS[reporting].params for option in parameter.opts}
