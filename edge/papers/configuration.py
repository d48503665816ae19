"""The page of all keys of the configuration, made from its models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from edge.config import Config, Node

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

HEAD = """\
# Configuration

Made from `edge/config.py` by `make contract`; do not edit. One TOML file,
`/etc/evenstride/evenstride.toml`. A key that is not listed here is an error, and every error names
the key, its value and what was expected.
"""


def configuration_page() -> str:
    """Markdown: a table of keys for each table of the file."""
    parts = [HEAD, _section("Top", Config)]
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            parts.append(_section(f"`[{name}]`", field.annotation))
    parts.append(_section("`[nodes.NAME]`, one a node", Node))
    return "\n".join(parts)


def _section(title: str, model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {_default(field)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
        if not _is_table(field)
    ]
    head = [f"## {title}", "", model.__doc__ or "", "", "| key | default | meaning |"]
    return "\n".join([*head, "|---|---|---|", *rows, ""])


def _is_table(field: FieldInfo) -> bool:
    kinds = (field.annotation, *get_args(field.annotation))
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "none"
    if isinstance(default, tuple):
        return f"`{list(default)}`"
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`"


def write_configuration_page(path: Path = Path("docs/configuration.md")) -> None:
    """Write the page."""
    path.write_text(configuration_page(), encoding="utf-8")
