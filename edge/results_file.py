"""Results as JSON, written as they come: a day of strides does not fit into a small memory."""

from __future__ import annotations

import shutil
import tempfile
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Self

from pydantic_core import to_json

from .results import Analysis

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import TextIO

    from .results import Record


class ResultsFile:
    """Gathers the lists of an `Analysis` on disk until the whole can be written.

    Parameters
    ----------
    folder : Path or None
        Where there is room for them; None: where the system keeps such files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._spools: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for spool in self._spools.values():
            spool.close()

    def add(self, field: str, records: Iterable[Record]) -> None:
        """Append records to a list of the results."""
        # All at once: half the work of one after the other.
        told = to_json(list(records), by_alias=True)[1:-1]
        if not told:
            return
        spool = self._spools.get(field)
        if spool is None:
            spool = self._spools[field] = tempfile.TemporaryFile(  # noqa: SIM115
                dir=self._folder
            )
        else:
            spool.write(b",")
        spool.write(told)

    def write(self, rest: Analysis, file: TextIO) -> None:
        """Write all results, the bytes that the whole `Analysis` would give.

        Parameters
        ----------
        rest : Analysis
            What is not in any list.
        file : TextIO
            Where to.
        """
        for i, (name, field) in enumerate(Analysis.model_fields.items()):
            key = field.alias or name
            file.write(f'{"," if i else "{"}"{key}":')
            if (spool := self._spools.get(name)) is not None:
                file.write("[")
                spool.seek(0)
                shutil.copyfileobj(TextIOWrapper(spool, encoding="utf-8"), file)
                file.write("]")
            else:
                only = rest.model_dump_json(by_alias=True, include={name})
                file.write(only[len(f'{{"{key}":') : -1])
        file.write("}")
