"""What a fault did, in numbers."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One row of the table.

    `lost` are results or recorded seconds that should be there and are not; `duplicated` are
    results that came twice under different ids; `disordered` came out of sequence within their
    lane; `recover_s` are the times from the end of the fault until all was well.
    """

    fault: str
    tries: int = 0
    lost: int = 0
    duplicated: int = 0
    disordered: int = 0
    recover_s: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def is_good(self) -> bool:
        return self.lost == self.duplicated == self.disordered == 0

    def row(self) -> tuple[str, ...]:
        recover = "-"
        if self.recover_s:
            recover = f"{statistics.median(self.recover_s):.2f} ({max(self.recover_s):.2f})"
        counts = (self.tries, self.lost, self.duplicated, self.disordered)
        return (self.fault, *map(str, counts), recover, self.note)
