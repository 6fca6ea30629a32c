"""The HTTP side of Ollama: routes, status codes, NDJSON. What is answered is decided in `model`, never here."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from stonks_sandbox.ollama import model, wire

SERVER_VERSION = "0.12.6"
KEEP_LOADED = timedelta(minutes=5)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _error(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=status)


async def _json_body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise wire.BadRequestError(f"the body of {request.url.path} is not JSON: {error}") from None


def _generate(request: wire.ChatRequest) -> wire.Generation:
    """Answer a checked request; raises BadRequestError for a `format` that the model has no task for."""
    options = request.options or wire.ChatOptions()
    started = time.perf_counter_ns()
    prompt = wire.fit_prompt(request.messages, options.num_ctx)
    read = time.perf_counter_ns()
    try:
        answer = model.answer(prompt.messages, request.format)
    except model.NoTaskError as error:
        raise wire.BadRequestError(str(error)) from None
    content, reason, tokens = wire.finish(answer, options.num_predict)
    done = time.perf_counter_ns()
    return wire.Generation(content, reason, prompt.tokens, tokens, read - started, done - read)


def _ndjson(bodies: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for body in bodies:
        yield json.dumps(body, ensure_ascii=False).encode() + b"\n"


async def _chat(request: Request, now: Callable[[], datetime]) -> Response:
    try:
        chat = wire.parse_chat(await _json_body(request))
    except wire.BadRequestError as error:
        return _error(400, str(error))
    if not model.is_ours(chat.model):
        return _error(404, f"model '{chat.model}' not found")
    created = wire.timestamp(now())
    if not chat.messages:
        loaded = wire.Generation("", "load", 0, 0, 0, 0)
        return JSONResponse(wire.final_body(chat.model, created, loaded, streamed=False))
    try:
        generation = await run_in_threadpool(_generate, chat)
    except wire.BadRequestError as error:
        return _error(400, str(error))
    if not chat.stream:
        return JSONResponse(wire.final_body(chat.model, created, generation, streamed=False))
    lines = _ndjson(wire.stream_bodies(chat.model, created, generation))
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _show(request: Request) -> Response:
    try:
        body = await _json_body(request)
    except wire.BadRequestError as error:
        return _error(400, str(error))
    name = (body.get("model") or body.get("name") or "") if isinstance(body, dict) else ""
    if not isinstance(name, str) or not name:
        return _error(400, "model is required")
    if not model.is_ours(name):
        return _error(404, f"model '{name}' not found")
    return JSONResponse(model.card())


def build_ollama(now: Callable[[], datetime] = _wall_clock) -> APIRouter:
    """The router to mount at any prefix; `now` gives the time stamped on answers and nothing else."""
    router = APIRouter()

    @router.post("/api/chat")
    async def chat(request: Request) -> Response:
        return await _chat(request, now)

    @router.get("/api/tags")
    async def tags() -> dict[str, Any]:
        return {"models": [model.tag()]}

    @router.post("/api/show")
    async def show(request: Request) -> Response:
        return await _show(request)

    @router.get("/api/version")
    async def version() -> dict[str, str]:
        return {"version": SERVER_VERSION}

    @router.get("/api/ps")
    async def running() -> dict[str, Any]:
        expires = wire.timestamp(now() + KEEP_LOADED)
        extra = {"expires_at": expires, "size_vram": 0, "context_length": wire.DEFAULT_NUM_CTX}
        return {"models": [model.tag() | extra]}

    @router.get("/")
    async def root() -> Response:
        return PlainTextResponse("Ollama is running")

    return router
