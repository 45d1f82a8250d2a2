"""One suite for both backends of the store, and what each must do of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from medallion_glue.raw_object import RawObjectFault, RawObjectReader
from medallion_glue.store import (
    Changed,
    DirectoryStore,
    NotFound,
    Store,
    StoreError,
    open_store,
    read_all,
)
from servers import BUCKET


@pytest.fixture(params=["directory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store is."""
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://{BUCKET}/{uuid.uuid4()}"
    (tmp_path / "lake").mkdir()
    return str(tmp_path / "lake")


@pytest.fixture
def store(place: str) -> Store:
    return open_store(place)


def write_work(store: Store, key: str, data: bytes) -> None:
    writer = store.create_work_object(key)
    for start in range(0, len(data), 100_000):
        writer.write(data[start : start + 100_000])
    writer.finish()


def keys(store: Store, prefix: str) -> list[str]:
    return sorted(info.key for info in store.list(prefix))


def test_a_put_is_the_first_or_none(store: Store) -> None:
    assert store.put(b"first", "commits/1.json")
    assert not store.put(b"second", "commits/1.json")
    assert read_all(store, "commits/1.json") == b"first"
    assert keys(store, "tmp/") == []


def test_of_many_that_put_at_once_one_wins(place: str) -> None:
    def put(number: int) -> bool:
        return open_store(place).put(str(number).encode(), "commits/1.json")

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(put, range(16)))
    assert sum(won) == 1
    assert read_all(open_store(place), "commits/1.json") == str(won.index(True)).encode()


def test_a_work_object_is_published_once_however_often_it_is_asked_for(store: Store) -> None:
    data = os.urandom(1 << 20) * 20
    write_work(store, "tmp/b/bronze/x.parquet", data)
    assert store.info("bronze/x.parquet") is None
    for _ in range(2):
        store.publish("tmp/b/bronze/x.parquet", "bronze/x.parquet")
        assert read_all(store, "bronze/x.parquet") == data
        assert store.info("tmp/b/bronze/x.parquet") is None


def test_a_publication_that_was_cut_short_is_finished(store: Store) -> None:
    write_work(store, "tmp/b/bronze/x.parquet", b"rows")
    store.publish("tmp/b/bronze/x.parquet", "bronze/x.parquet")
    write_work(store, "tmp/b/bronze/x.parquet", b"rows")
    store.publish("tmp/b/bronze/x.parquet", "bronze/x.parquet")
    assert keys(store, "tmp/") == []


def test_what_is_not_there_is_said_so(store: Store) -> None:
    assert store.info("raw/x.json") is None
    assert keys(store, "raw/") == []
    store.delete("raw/x.json")
    store.delete_all("tmp/b/")
    with pytest.raises(NotFound, match=r"raw/x\.json"):
        store.open("raw/x.json")
    with pytest.raises(NotFound, match=r"bronze/x"):
        store.publish("tmp/b/bronze/x", "bronze/x")


def test_a_listing_has_size_and_time_of_every_object_below_a_prefix(store: Store) -> None:
    for number in range(3):
        store.put(b"x" * number, f"raw/hour={number}/x.json")
    store.put(b"", "rawest/x.json")
    assert keys(store, "raw/") == [f"raw/hour={number}/x.json" for number in range(3)]
    for info in store.list("raw/"):
        assert info == store.info(info.key)
    assert keys(store, "raw/hour=1/") == ["raw/hour=1/x.json"]


def test_everything_below_a_prefix_is_removed_and_nothing_else(store: Store) -> None:
    for key in ("tmp/b/x", "tmp/b/c/y", "tmp/bb/z"):
        write_work(store, key, b"x")
    store.delete_all("tmp/b/")
    assert keys(store, "tmp/") == ["tmp/bb/z"]
    # Also where it is written again.
    write_work(store, "tmp/b/c/y", b"x")
    with pytest.raises(StoreError):
        store.delete_all("tmp//")


def test_an_object_that_is_replaced_while_it_is_read_is_one_version_or_a_fault(
    store: Store, place: str
) -> None:
    store.put(b"old\n" * 1_000_000, "raw/x.json")
    listed = store.info("raw/x.json")
    assert listed is not None
    reader = RawObjectReader(listed, store)
    pieces = iter(reader)
    read = next(pieces)
    if place.startswith("s3://"):
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        import boto3

        boto3.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/raw/x.json", Body=b"new")
        read += b"".join(pieces)
        assert read == b"old\n" * 1_000_000
    else:
        Path(place, "raw/x.json").write_bytes(b"new")
        with pytest.raises(RawObjectFault, match="changed"):
            b"".join(pieces)
    # Listed before, opened after.
    with pytest.raises(RawObjectFault, match="changed"):
        RawObjectReader(listed, store)


def test_a_broken_connection_is_resumed_and_only_with_the_same_object(s3: Any) -> None:
    store = open_store(f"s3://{BUCKET}/{uuid.uuid4()}")
    data = os.urandom(3 << 20)
    store.put(data, "raw/x.json")

    class Broken:
        """A body whose connection is lost."""

        def read(self, _: int) -> bytes:
            raise ConnectionResetError

        def close(self) -> None: ...

    reader: Any = store.open("raw/x.json")
    read = reader.read(1 << 20)
    reader._body = Broken()
    while piece := reader.read(1 << 20):
        read += piece
    assert read == data

    reader = store.open("raw/x.json")
    reader.read(1 << 20)
    reader._body = Broken()
    path = store.location.removeprefix(f"s3://{BUCKET}/") + "/raw/x.json"
    s3.put_object(Bucket=BUCKET, Key=path, Body=b"y" * (3 << 20))
    with pytest.raises(Changed):
        reader.read(1 << 20)


def test_links_and_impossible_names_are_no_objects(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path))
    store.put(b"x", "raw/x.json")
    (tmp_path / "raw/link.json").symlink_to(tmp_path / "raw/x.json")
    (tmp_path / "raw/folder").symlink_to(tmp_path)
    (tmp_path / "raw/a\nb.json").write_bytes(b"")
    (tmp_path / os.fsdecode(b"raw/\xff.json")).write_bytes(b"")
    assert keys(store, "raw/") == ["raw/x.json"]
    assert store.info("raw/link.json") is None
    with pytest.raises(StoreError):
        store.open("raw/link.json")


@pytest.mark.parametrize("make_place", [lambda place: f"file://{place}", str])
def test_places_are_named_as_people_name_them(
    tmp_path: Path, make_place: Callable[[Path], str]
) -> None:
    assert open_store(make_place(tmp_path)).location == str(tmp_path)
    with pytest.raises(StoreError, match="no place for a lake"):
        open_store("hdfs://x/y")


def test_a_bucket_that_is_not_there_is_named(s3: Any) -> None:
    with pytest.raises(StoreError, match="s3://no-such-bucket"):
        next(iter(open_store("s3://no-such-bucket/lake").list("raw/")))
