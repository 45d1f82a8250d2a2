"""A lake that went all the way to gold, for tests to work on copies of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command import Medallion

#: Every kind of line that costs little, often enough to be met in a few hundred events.
FAULTS = (
    "late=0.05,duplicate=0.05,conflict=0.03,messy=0.05,rescue=0.05,corrupt=0.08,blank=0.02,"
    "offline=0.05,disorder=0.05,missing_field=0.05,truncated=0.3"
)


@dataclass(frozen=True)
class Template:
    """A lake that went all the way to gold twice; tests work on copies of it."""

    lake: Path
    answer_key: Path
    #: The ledger and the warehouse as they were after the first time.
    old_ledger: Path
    old_warehouse: Path
    status: dict[str, Any]

    def copy_to(self, medallion: Medallion) -> Medallion:
        # copytree keeps the files' times, as `cp -a` and a backup do.
        shutil.copytree(self.lake, medallion.lake)
        return medallion
