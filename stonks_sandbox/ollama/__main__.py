"""`python -m stonks_sandbox.ollama`: the rule-based model alone, on a free loopback port, for whoever started it.

The address is the first line of standard output. It ends when its standard input does, so that it never outlives the
process that holds the other end, and on SIGTERM.
"""

import os
import signal
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

from stonks_sandbox.ollama import build_ollama

HOST = "127.0.0.1"
BACKLOG = 256


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Serve until standard input ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((HOST, 0))
        listener.listen(BACKLOG)
        sys.stdout.write(f"http://{HOST}:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        threading.Thread(target=_end_with_parent, daemon=True).start()
        app = FastAPI(title="stonks-rules", docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(build_ollama())
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
