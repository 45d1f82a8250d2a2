"""What a lake in S3 holds, as an S3 client sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from command import Medallion
from servers import BUCKET, Server

#: Makes a host of a lake: of a new one, or of one by its place.
MakeLake = Callable[..., Medallion]


def prefix(medallion: Medallion) -> str:
    """Of a lake's keys in its bucket."""
    assert medallion.place
    return medallion.place.removeprefix(f"s3://{BUCKET}/") + "/"


def keys(server: Server, medallion: Medallion, below: str = "") -> list[str]:
    """The keys of a lake, as an S3 client lists them."""
    start = prefix(medallion)
    pages: Any = server.client().get_paginator("list_objects_v2")
    return [
        entry["Key"].removeprefix(start)
        for page in pages.paginate(Bucket=BUCKET, Prefix=start + below)
        for entry in page.get("Contents", [])
    ]
