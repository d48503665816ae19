"""Documents made from the table of channels: AsyncAPI, JSON Schemas, topics, access list.

They are committed under `docs/contract`, and a test fails when they differ from the table.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from edge.contract import CHANNELS, ROOT, Channel
from edge.envelope import Algorithm, Envelope, Quality
from edge.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

# Roles that read or command; each is an account at the broker. Edges are known by certificate.
READER = "reader"
OPERATOR = "operator"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def example_of(channel: Channel) -> Envelope[Any]:
    """Whole payload of a channel, as it might come."""
    algorithm = Algorithm(name="strides", version="1.0.0", params_sha256="4c1f9a0e")
    measured = channel.name.startswith(("gait", "clinic", "summary"))
    names = ("node", "left-foot"), ("kind", "link"), ("command", "start"), ("family", "pelvis")
    made: Envelope[Any] = channel.envelope(
        schema=channel.schema_id,
        id="01JNAV7B3K6W9XQ2T5R8Y0Z4MC",
        seq=1041,
        stream=channel.stream(**dict(names)),
        t="2026-03-02T09:21:08.345000Z",
        t_unc_s=0.05,
        time_quality="ntp",
        t_mono_ns=421_225_000_000,
        boot_id="01JNAV6S8D1F4H7J0K3N6Q9T2V",
        session="01JNAV6W2T4Y8ZQ0M3K5R7P9XD",
        subject="K7Q2-M9XD-0",
        algo=algorithm if measured else None,
        calib=("left-foot/3f9a0c12ab45",) if measured else (),
        quality=Quality(coverage=0.998, gaps=1) if measured else None,
        data=channel.example,
    )
    return made


def json_schema(channel: Channel) -> dict[str, Any]:
    """JSON Schema of a channel's whole payload."""
    made: dict[str, Any] = channel.envelope.model_json_schema(mode="serialization")
    # A later minor version adds fields: a consumer's validator must let them pass.
    _let_more_fields_pass(made)
    made["properties"]["schema"]["const"] = channel.schema_id
    return {
        "$schema": DIALECT,
        "$id": f"urn:evenstride:schema:{channel.name}:{channel.version}",
        **made,
        "title": channel.schema_id,
        "description": inspect.getdoc(channel.model) or "",
    }


def _let_more_fields_pass(node: Any) -> None:
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        for inner in node.values():
            _let_more_fields_pass(inner)
    elif isinstance(node, list):
        for inner in node:
            _let_more_fields_pass(inner)


def schema_catalogue() -> dict[str, str]:
    """Schema id to SHA-256 of its document, for `info`."""
    return {
        channel.schema_id: hashlib.sha256(_text(json_schema(channel)).encode()).hexdigest()
        for channel in CHANNELS
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 document with MQTT bindings."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Evenstride",
            "version": version("evenstride"),
            "description": "What an Evenstride edge sends over MQTT. QoS 1 may deliver twice: "
            "drop duplicates by `id`. A research tool, not a medical device.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {_verb(channel) + channel.name: _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {channel.name: _message(channel) for channel in CHANNELS},
            "schemas": _shared_schemas(),
        },
    }


def _verb(channel: Channel) -> str:
    return "send." if channel.direction == "out" else "receive."


def _channel(channel: Channel) -> dict[str, Any]:
    address = f"{ROOT}/{{site}}/{{edge}}/{channel.suffix}"
    names = [part[1:-1] for part in address.split("/") if part.startswith("{")]
    return {
        "address": address,
        "description": f"{(channel.model.__doc__ or '').splitlines()[0]} Expect {channel.cadence}.",
        "parameters": {name: {"description": f"Name of the {name}"} for name in names},
        "messages": {channel.name: {"$ref": f"#/components/messages/{channel.name}"}},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": "send" if channel.direction == "out" else "receive",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {
            "mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}
        },
    }


def _shared_schemas() -> dict[str, Any]:
    """Types inside payloads, once for all messages: a reference counts from the document."""
    found: dict[str, Any] = {}
    for channel in CHANNELS:
        found |= _hoisted(json_schema(channel)["$defs"])
    return dict(sorted(found.items()))


def _hoisted(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/")
            if key == "$ref"
            else _hoisted(value)
            for key, value in node.items()
        }
    return [_hoisted(inner) for inner in node] if isinstance(node, list) else node


def _message(channel: Channel) -> dict[str, Any]:
    schema = _hoisted(json_schema(channel))
    del schema["$defs"], schema["$id"]
    return {
        "name": channel.name,
        "title": channel.schema_id,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": schema,
        },
        "examples": [{"payload": example_of(channel).model_dump(mode="json", by_alias=True)}],
    }


def topic_table() -> str:
    """Markdown: all topics, then the fields of each payload."""
    rows = [
        f"| `{c.suffix}` | {c.qos} | {'yes' if c.retain else 'no'} | `{c.schema_id}` "
        f"| {c.cadence} | {_drop(c)} |"
        for c in CHANNELS
    ]
    head = [
        "# Topics and payloads",
        "",
        (
            "Made from `edge/contract.py` by `make contract`; do not edit. The guide: "
            "[contract.md](../contract.md)."
        ),
        "",
        f"Every topic begins with `{ROOT}/<site>/<edge>/`.",
        "",
        "| topic | QoS | retained | schema | cadence | when the outbox is full |",
        "|---|---|---|---|---|---|",
    ]
    envelope = CHANNELS[0].envelope.model_json_schema(mode="serialization")
    parts = [_fields("Envelope, around every `data`", envelope)]
    parts += [
        _fields(f"`{c.schema_id}`: `data`", c.model.model_json_schema(mode="serialization"))
        for c in CHANNELS
    ]
    return "\n".join([*head, *rows, "", *parts])


def _drop(channel: Channel) -> str:
    return "kept" if channel.drop_order is None else f"goes as number {channel.drop_order}"


def _fields(title: str, schema: dict[str, Any]) -> str:
    rows = [
        f"| `{name}` | {_type(field, schema)} | {field.get('description', '')} |"
        for name, field in schema["properties"].items()
    ]
    about = schema.get("description", "") if "data" not in schema["properties"] else ""
    head = [f"## {title}", "", *([about, ""] if about else [])]
    return "\n".join([*head, "| field | type | meaning |", "|---|---|---|", *rows, ""])


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].split("/")[-1]
        return _type(schema["$defs"][name], schema)
    if "anyOf" in field:
        return " or ".join(_type(option, schema) for option in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    return str(field.get("type", "any"))


def access_list(site: str) -> str:
    """Mosquitto's access list of a site.

    An edge is known by the name in its certificate (`%u`) and writes below that name only; readers
    read the whole site; only operators may command.
    """
    below = f"{ROOT}/{site}"
    out = [c for c in CHANNELS if c.direction == "out"]
    commands = [c for c in CHANNELS if c.direction == "in"]
    lines = ["# Made from the table of channels; do not edit.", "", f"user {READER}"]
    lines += [f"topic read {below}/+/{_wild(c)}" for c in out]
    lines += ["", f"user {OPERATOR}"]
    lines += [f"topic read {below}/+/{_wild(c)}" for c in out]
    lines += [f"topic write {below}/+/{_wild(c)}" for c in commands]
    lines += ["", "# Edges."]
    lines += [f"pattern write {below}/%u/{_wild(c)}" for c in out]
    lines += [f"pattern read {below}/%u/{_wild(c)}" for c in commands]
    return "\n".join(lines) + "\n"


def _wild(channel: Channel) -> str:
    return "/".join("+" if p.startswith("{") else p for p in channel.suffix.split("/"))


def documents() -> dict[str, str]:
    """Every document by its path below `docs/contract`."""
    schemas = {
        f"schemas/{channel.name}-{channel.version}.json": _text(json_schema(channel))
        for channel in CHANNELS
    }
    return {
        "asyncapi.json": _text(asyncapi()),
        "topics.md": topic_table(),
        "mosquitto.acl": access_list("SITE"),
        **schemas,
    }


def write_documents(folder: Path) -> None:
    """Write every document; those of earlier versions stay."""
    for name, text in documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
