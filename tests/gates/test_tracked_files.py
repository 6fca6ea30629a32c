"""What may not stand in any tracked file: paths of a machine, hosts of a package registry, work at the wrong place."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.gates.tracked import PROJECT, modules, text_of, tracked_files

MACHINE_PATH = re.compile(r"(?<![\w.:/*-])/(?:" + "work|root|home/[a-z]\\w*|Users/[a-z]\\w*" + r")(?=[/\"'`\s]|$)")
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "registry.np" + "mjs.org", "npm" + "mirror")
MOST_LINES = 400
MOST_TEST_LINES = 500
DECLARATIONS = {
    "stonks_core/stores/migrations/versions/r0003_trading.py": "one line per column; a revision is never taken apart",
}
ENVIRONMENT_READERS = (
    "stonks_api/__main__.py",
    "stonks_assets/__init__.py",
    "stonks_assets/resources.py",
    "stonks_cli/",
    "stonks_core/stores/embedded/guard.py",
    "stonks_sandbox/__main__.py",
    "stonks_trading/__main__.py",
)
"""Process roots: the command, the daemons' entries, Dagster's resource, and the guard, which clears its child's."""


def _lines() -> Iterator[tuple[Path, int, str]]:
    for path in tracked_files():
        text = text_of(path)
        for number, line in enumerate((text or "").splitlines(), 1):
            yield path, number, line


def _index_hosts() -> set[str]:
    """Hosts of the indexes that this machine is configured for; whatever they are, no file may name them."""
    named = (
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_EXTRA_INDEX_URL",
    )
    hosts = {urlsplit(url).hostname or "" for name in named for url in os.environ.get(name, "").split()}
    return hosts - {"", "localhost"}


def test_no_tracked_file_holds_a_path_of_a_machine() -> None:
    here = {str(place) for place in (PROJECT, Path.home()) if len(place.parts) > 2}
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, number, line in _lines()
        if MACHINE_PATH.search(line) or any(place in line for place in here)
    ]
    assert found == []


def test_no_tracked_file_names_a_package_registry() -> None:
    hosts = {*REGISTRIES, *_index_hosts()}
    found = [f"{path}:{number}" for path, number, line in _lines() if any(host in line for host in hosts)]
    assert found == []


def test_nothing_that_is_made_is_tracked() -> None:
    made = {".venv", "__pycache__", ".stonks", "node_modules", ".hypothesis", ".env", ".mypy_cache", ".ruff_cache"}
    assert [path for path in tracked_files() if made & set(path.parts)] == []


@pytest.mark.parametrize("folder", ["stonks", "tests"])
def test_files_stay_small(folder: str) -> None:
    most = MOST_LINES if folder == "stonks" else MOST_TEST_LINES
    long = {
        str(path): count
        for path in (modules() if folder == "stonks" else modules("tests"))
        if (count := len((text_of(path) or "").splitlines())) > most and str(path) not in DECLARATIONS
    }
    assert long == {}, f"longer than {most} lines: split them by what they are about"


def test_every_module_has_a_door_sign() -> None:
    bare = [str(path) for path in modules() if not ast.get_docstring(ast.parse(text_of(path) or ""))]
    assert bare == [], "a module's docstring says what belongs here and what does not"


def test_only_process_roots_read_the_environment() -> None:
    readers = {str(path) for path in modules() if _reads_environment(ast.parse(text_of(path) or ""))}
    assert {r for r in readers if not r.startswith(ENVIRONMENT_READERS)} == set(), (
        "take a setting or an argument instead"
    )


def _reads_environment(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            named = {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            named = {node.attr}
        else:
            continue
        if named & {"environ", "environb", "getenv", "getenvb", "putenv"}:
            return True
    return False


def test_the_gate_itself_finds_what_it_looks_for() -> None:
    for text in ('open("/ro' + 'ot/x")', "at /wo" + "rk/main", "/ho" + "me/ada/.cache"):
        assert MACHINE_PATH.search(text), text
    for text in ("https://example.com/work/1", "stdout/root", "the root / folder", "/workers"):
        assert not MACHINE_PATH.search(text), text
    assert _reads_environment(ast.parse("import os\nprint(os.environ['X'])"))
    assert _reads_environment(ast.parse("from os import getenv"))
    assert not _reads_environment(ast.parse("import os\nos.kill(1, 2)"))
