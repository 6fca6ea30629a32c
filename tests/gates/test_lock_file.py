"""The lock installs from any index: it names no place, pins everything that is asked for, and hashes everything."""

import re
import tomllib

from tests.gates.tracked import PROJECT, text_of, tracked_files

LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(\S+)")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _blocks() -> list[str]:
    """One text per requirement: its line and the lines that go on from it."""
    joined = LOCK.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def test_the_lock_names_no_place() -> None:
    for pattern in (r"://", r"(?m)^\s*-(?:-index-url|-extra-index-url|-find-links|i|f|r|e)\b", r"file:", r"\s@\s"):
        assert re.search(pattern, LOCK) is None, f"requirements.lock holds {pattern!r}: make it again with `make lock`"
    assert re.search(r"(?m)(?:^|\s)\.{0,2}/\S", LOCK) is None, (
        "requirements.lock holds a path: make it with `make lock`"
    )
    hosts = re.findall(r"\b[a-z0-9-]+\.(?:org|com|net|io|dev|internal|local|lan)\b(?!=)", LOCK)
    assert hosts == [], f"requirements.lock names hosts {hosts}: make it again with `make lock`"


def test_every_requirement_is_pinned_and_hashed() -> None:
    for block in _blocks():
        assert PINNED.match(block), f"not pinned by ==: {block[:80]}"
        hashes = re.findall(r"--hash=(\S+)", block)
        assert hashes, f"no hash: {block[:80]}"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes)


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {_normal(re.split(r"[\[<>=!~; ]", dependency, maxsplit=1)[0]) for dependency in asked}
    locked = {_normal(found.group(1)) for block in _blocks() if (found := PINNED.match(block))}
    assert names <= locked, f"not in requirements.lock, run `make lock`: {sorted(names - locked)}"


def test_no_lock_that_names_hosts_is_tracked() -> None:
    for path in tracked_files():
        assert path.name not in {"uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock"}, f"{path} names hosts"
        if path.name in {"package-lock.json", "npm-shrinkwrap.json"}:
            assert '"resolved"' not in (text_of(path) or ""), f"{path} names hosts: write it without `resolved`"
