"""The page at `/docs`: the API's own description of itself, without scripts from elsewhere."""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from stonks_api.context import Ctx
from stonks_api.pages.rendering import render

router = APIRouter()
CHANGING = frozenset({"post", "put", "patch", "delete"})


@router.get("/docs", response_class=HTMLResponse)
def get_docs(ctx: Ctx, request: Request) -> HTMLResponse:
    """Every route by subject, with its parameters and what it answers."""
    described: dict[str, Any] = request.app.openapi()
    subjects: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            subjects[operation.get("tags", ["other"])[0]].append(
                {
                    "method": method.upper(),
                    "path": path,
                    "linked": method == "get" and "{" not in path,
                    "changing": method in CHANGING,
                    "description": operation.get("description", ""),
                    "parameters": [_parameter(one) for one in operation.get("parameters", [])],
                    "answers": _answer(operation),
                }
            )
    return render("docs.html", ctx, subjects=dict(subjects), about=described["info"]["description"])


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    schema = given.get("schema", {})
    choices: list[Any] = schema.get("enum") or next(
        (one["enum"] for one in schema.get("anyOf", []) if "enum" in one), []
    )
    bounds = [f"{name} {schema[key]}" for name, key in (("from", "minimum"), ("to", "maximum")) if key in schema]
    said = [given.get("description", ""), ", ".join(map(str, choices)), " ".join(bounds)]
    return {"name": given["name"], "required": given.get("required", False), "said": "; ".join(filter(None, said))}


def _answer(operation: dict[str, Any]) -> str:
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]
