"""Results as JSON, written as they come: a day of strides does not fit into a small memory."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING, Self

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
        self._spools: dict[str, TextIO] = {}

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
        for record in records:
            spool = self._spools.get(field)
            if spool is None:
                spool = self._spools[field] = tempfile.TemporaryFile(  # noqa: SIM115
                    "w+", encoding="utf-8", dir=self._folder
                )
            else:
                spool.write(",")
            spool.write(record.model_dump_json(by_alias=True))

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
                shutil.copyfileobj(spool, file)
                file.write("]")
            else:
                only = rest.model_dump_json(by_alias=True, include={name})
                file.write(only[len(f'{{"{key}":') : -1])
        file.write("}")
