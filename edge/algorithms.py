"""What computed a result: the version of the program and a hash of every constant it used.

The constants of `edge/gait` and of the pipeline are its parameters: whoever changes one gets
another hash, and two results with the same version and hash were computed in the same way.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from . import gait, pipeline
from .envelope import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

GAIT = "gait"


@cache
def gait_algorithm() -> Algorithm:
    """Name, version and parameters of the analysis of walking."""
    text = json.dumps(sorted(_constants()), default=repr)
    return Algorithm(
        name=GAIT,
        version=version("evenstride"),
        params_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _constants() -> Iterator[tuple[str, str]]:
    """Every constant of the analysis, by its full name."""
    for module in _modules():
        for name, value in vars(module).items():
            if name.isupper() and _is_plain(value):
                yield f"{module.__name__}.{name}", repr(value)


def _is_plain(value: object) -> bool:
    """Numbers, texts and tables of them: what reads the same in every process."""
    if isinstance(value, tuple):
        return all(_is_plain(part) for part in value)
    return isinstance(value, bool | int | float | str)


def _modules() -> Iterator[ModuleType]:
    yield pipeline
    yield gait
    for found in pkgutil.walk_packages(gait.__path__, f"{gait.__name__}."):
        yield import_module(found.name)
