"""The model to ask outside a running system: the configured Ollama, or `stonks-rules` in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stonks_core.errors import StonksError
from stonks_core.settings import Settings

STOP_SECONDS = 10.0


@contextmanager
def model_address(settings: Settings) -> Iterator[str]:
    """Where the settings' model answers; without OLLAMA_BASE_URL a process that lives as long as the block."""
    if not settings.sandboxed["llm"]:
        yield settings.endpoints.ollama
        return
    with rules_process() as address:
        yield address


@contextmanager
def rules_process() -> Iterator[str]:
    """The address of `stonks-rules` in a process on a free loopback port, ended on leaving; it gets no secret."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    argv = [sys.executable, "-m", "stonks_sandbox.ollama"]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise StonksError(
                f"the rule-based model did not start (`{' '.join(argv)}` ended with {process.wait(STOP_SECONDS)}): "
                "install again, or set OLLAMA_BASE_URL to an Ollama server"
            )
        yield address
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Let the process see the end of its input; kill it where it does not go."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
