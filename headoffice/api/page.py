"""The page that shows people what the API has: made once from its description, without any script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import msgspec
from starlette.responses import Response


def json_of(described: Mapping[str, Any]) -> Response:
    """The description itself."""
    return Response(msgspec.json.encode(described), media_type="application/json")


def page_of(described: Mapping[str, Any]) -> str:
    """All operations with their scopes, what they take and give, and all codes of problems."""
    info = described["info"]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><title>Regulars API</title>',
        '<link rel="stylesheet" href="/console/style.css">',
        f"<main><h1>Regulars API {escape(info['version'])}</h1><p>{escape(info['description'])}</p>",
        '<p><a href="/admin/openapi.json">openapi.json</a></p>',
        *_operations(described),
        "<h2>Problems</h2><dl>",
        *(
            f'<dt id="{escape(code)}"><code>{escape(code)}</code></dt><dd>{escape(title)}</dd>'
            for code, title in described["x-problem-codes"].items()
        ),
        "</dl></main></html>",
    ]
    return "\n".join(parts)


def _operations(described: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            scopes = ", ".join(operation["security"][0]["key"])
            yield f"<h2><code>{method.upper()} /admin{escape(path)}</code></h2>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            yield f"<p>Scope: <code>{escape(scopes)}</code></p><ul>"
            for each in operation.get("parameters", ()):
                needed = "" if each.get("required") else " (optional)"
                yield f"<li><code>{escape(each['name'])}</code> in {escape(each['in'])}{needed}</li>"
            yield from _fields(described, operation)
            yield "</ul>"


def _fields(described: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for body in content.values():
        name = body["schema"].get("$ref", "").rpartition("/")[2]
        shape = described["components"]["schemas"].get(name, {})
        for field in shape.get("properties", ()):
            needed = "" if field in shape.get("required", ()) else " (optional)"
            yield f"<li><code>{escape(field)}</code> in body{needed}</li>"
