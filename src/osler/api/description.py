"""The API's description for programs: with the shape of a problem, and an example of all that is sent and answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from osler.http import refusals

Described = Mapping[str, Any]


def describe(app: FastAPI) -> None:
    """Have `app.openapi()` show an example of every body; where none is given, one put together of its fields'."""
    framework = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = framework()
            for kind, own in refusals.components().items():
                made["components"].setdefault(kind, {}).update(own)
            for body in _bodies(made):
                if not {"example", "examples"} & body.keys():
                    body["example"] = example_of(body, made["components"]["schemas"])
        return framework()

    app.openapi = openapi


def _bodies(description: Described) -> Iterator[dict[str, Any]]:
    """Each media type of each request and answer that has a shape."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for one in (operation.get("requestBody", {}), *operation["responses"].values()):
                yield from (body for body in one.get("content", {}).values() if body.get("schema"))


def example_of(described: Described, schemas: Described) -> Any:  # any JSON value
    """The example that is given, or one put together of those of the fields; None where there is none."""
    if "example" in described:
        return described["example"]
    if "schema" in described:
        return example_of(described["schema"], schemas)
    if described.get("examples"):
        return described["examples"][0]
    if "$ref" in described:
        return example_of(schemas[str(described["$ref"]).rpartition("/")[2]], schemas)
    return _put_together(described, schemas)


def _put_together(described: Described, schemas: Described) -> Any:  # any JSON value
    for plain in ("const", "default"):
        if plain in described:
            return described[plain]
    if "enum" in described:
        return described["enum"][0]
    if "anyOf" in described:
        return example_of(described["anyOf"][0], schemas)
    if "items" in described:
        return [example_of(described["items"], schemas)]
    if described.get("properties"):
        return {name: example_of(field, schemas) for name, field in described["properties"].items()}
    return None
