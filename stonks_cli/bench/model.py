"""An Ollama for benchmarks, in a process of its own: every answer is the same and takes the same time, however many ask."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stonks_core.errors import StonksError

NAME = "bench"
TICKER = "BNCH"
QUOTE = "Bench Holdings reported record quarterly revenue and raised its full-year guidance"
ANSWER = {
    "summary": f"{QUOTE}.",
    "sentiment": 0.8,
    "catalyst": "guidance_raise",
    "confidence": 0.9,
    "impacts": [
        {
            "ticker": TICKER,
            "sentiment": 0.8,
            "impact": 0.6,
            "catalyst": "guidance_raise",
            "horizon": "weeks",
            "confidence": 0.9,
            "quote": QUOTE,
        }
    ],
}


@contextmanager
def serving_model(service_seconds: float) -> Iterator[str]:
    """The address of a running model on a free loopback port, gone at the end of the block."""
    command = [sys.executable, "-m", "stonks_cli.bench.model", str(service_seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if process.stdout is None:
        raise StonksError("the benchmark's model has no output to say its address on")
    try:
        url = process.stdout.readline().strip()
        if not url.startswith("http://127.0.0.1:"):
            raise StonksError("the benchmark's model did not start: its error stands above")
        yield url
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _response(body: dict[str, object]) -> bytes:
    payload = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


async def _serve(service_seconds: float) -> None:
    tags = _response({"models": [{"model": f"{NAME}:latest", "digest": "bench-1"}]})
    chat = _response(
        {
            "model": NAME,
            "message": {"role": "assistant", "content": json.dumps(ANSWER)},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 1000,
            "eval_count": 120,
            "total_duration": int(service_seconds * 1e9),
        }
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = next((int(v[15:]) for v in head.split("\r\n") if v.startswith("content-length:")), 0)
                await reader.readexactly(length)
                if head.startswith("post"):
                    await asyncio.sleep(service_seconds)
                writer.write(chat if head.startswith("post") else tags)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()  # the client has gone

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
