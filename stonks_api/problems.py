"""Errors as problem+json (RFC 9457): one shape for refusals, unknown routes, bad input and failures of our own."""

import logging
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from stonks_api.tracing import trace_id_of
from stonks_core.errors import (
    BadFieldsError,
    BadInputError,
    ConflictError,
    NotFoundError,
    PermanentError,
    StonksError,
    TransientError,
)

MEDIA_TYPE = "application/problem+json"
JSON_PREFIXES = ("/api", "/registry", "/risk", "/trading", "/openapi.json", "/metrics")
log = logging.getLogger("stonks_api")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "names the kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what failed, on which input, and what to do"},
        "instance": {"type": "string", "description": "the path that was asked for"},
        "trace_id": {"type": "string", "description": "finds the request in the log"},
        "errors": {
            "type": "array",
            "items": {"type": "object"},
            "description": "each bad field, where fields were bad",
        },
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
}


def problem(
    path: str,
    status: int,
    detail: str,
    *,
    trace_id: str = "",
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """One problem; its type is a URN of ours, its title the status' own phrase."""
    phrase = HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": f"urn:stonks:problem:{phrase.lower().replace(' ', '-')}",
        "title": phrase,
        "status": status,
        "detail": detail,
        "instance": path,
    }
    body |= {"trace_id": trace_id} if trace_id else {}
    body |= {"errors": errors} if errors is not None else {}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def wants_page(path: str, accept: str) -> bool:
    """Whether an error is for a person in a browser: a page's path, asked for as HTML."""
    under = any(path == prefix or path.startswith(prefix + "/") for prefix in JSON_PREFIXES)
    return not under and "text/html" in accept


def answer(
    request: Request, status: int, detail: str, *, headers: Mapping[str, str] | None = None, errors: Any = None
) -> Response:
    """The problem in the shape that this request can read."""
    path = request.url.path
    if wants_page(path, request.headers.get("accept", "")):
        return HTMLResponse(_error_page(status, detail), status, dict(headers or {}))
    return problem(path, status, detail, trace_id=trace_id_of(request.scope), headers=headers, errors=errors)


def _error_page(status: int, detail: str) -> str:
    title = f"{status} {HTTPStatus(status).phrase}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="/static/icon.svg">'
        '<link rel="stylesheet" href="/static/app.css"></head><body><main class="narrow">'
        f'<h1>{title}</h1><p>{escape(detail)}</p><p><a href="/">Back to the overview</a></p></main></body></html>'
    )


def install(app: FastAPI) -> None:
    """Give the application a handler for every failure it knows."""
    app.add_exception_handler(StonksError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(psycopg.DataError, _of_data)
    app.add_exception_handler(psycopg.OperationalError, _of_database)


def _of_ours(request: Request, error: Exception) -> Response:
    kinds: tuple[tuple[type[StonksError], int], ...] = (
        (NotFoundError, 404),
        (ConflictError, 409),
        (BadFieldsError, 422),
        (BadInputError, 400),
        (TransientError, 503),
        (PermanentError, 502),
    )
    status = next((status for kind, status in kinds if isinstance(error, kind)), 500)
    if status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    headers = {"retry-after": "5"} if status == 503 else None
    fields = error.fields if isinstance(error, BadFieldsError) else None
    errors = [{"where": where, "message": message} for where, message in fields] if fields is not None else None
    return answer(request, status, str(error), headers=headers, errors=errors)


def _of_validation(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"where": ".".join(str(part) for part in one["loc"]), "message": str(one["msg"])} for one in found]
    detail = "; ".join(f"{one['where']}: {one['message']}" for one in errors) or "the request was not understood"
    return answer(request, 422, detail, errors=errors)


def _of_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    said = str(error.detail) if isinstance(error, HTTPException) else ""
    if status == 404 and said == "Not Found":
        said = f"there is nothing at {request.url.path}: /docs lists what there is"
    if status == 405:
        said = f"{request.method} is not offered at {request.url.path}: /docs lists what is"
    return answer(request, status, said, headers=headers)


def _of_data(request: Request, error: Exception) -> Response:
    log.info("%s %s: the database refused a value: %s", request.method, request.url.path, error)
    return answer(request, 400, "a value of the request is none that the database can hold, such as a NUL character")


def _of_database(request: Request, error: Exception) -> Response:
    log.error("%s %s: the database failed: %s", request.method, request.url.path, error)
    detail = "the database does not answer: try again, and `stonks doctor` says more"
    return answer(request, 503, detail, headers={"retry-after": "5"})
