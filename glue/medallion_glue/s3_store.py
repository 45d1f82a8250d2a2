"""A lake in a bucket, below a prefix: boto3, with its own credentials, region and retries.

`AWS_ENDPOINT_URL` names another server, as it does for every client of AWS.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from medallion_glue.store import (
    Changed,
    Denied,
    NotFound,
    ObjectInfo,
    ObjectReader,
    ObjectWriter,
    StoreError,
    is_key,
)

#: How often a read goes on where the connection broke.
MOST_RESUMES = 5
#: What is kept in memory of a work object before it goes to the local disk.
SPOOL_BYTES = 16 << 20
#: The most that one request may remove.
DELETES_AT_ONCE = 1000

#: What a request may raise, whether or not it was answered.
_FAILURES = (ClientError, BotoCoreError)
#: What a broken connection raises while a body is read.
_BROKEN = (HTTPClientError, IncompleteReadError, ResponseStreamingError, OSError)


class S3Store:
    #: Objects appear all at once.
    settle_seconds = 0.0

    def __init__(self, bucket: str, prefix: str) -> None:
        self.location = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = boto3.client(
            "s3", config=Config(retries={"mode": "standard", "max_attempts": 8})
        )

    def put(self, data: bytes, key: str) -> bool:
        for _ in range(MOST_RESUMES):
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=self._path(key), Body=data, IfNoneMatch="*"
                )
            except _FAILURES as problem:
                if _code(problem) == "PreconditionFailed":
                    return False
                # Another one is being put there at this moment: who won shows at the next try.
                if _code(problem) != "ConditionalRequestConflict":
                    raise self._error("store", key, problem) from None
            else:
                return True
        raise StoreError(f"{self._name(key)} cannot be stored: others go on storing it; try again")

    def create_work_object(self, key: str) -> ObjectWriter:
        return _ObjectWriter(self, key)

    def publish(self, work: str, key: str) -> None:
        source = {"Bucket": self._bucket, "Key": self._path(work)}
        try:
            self._client.copy_object(
                Bucket=self._bucket, Key=self._path(key), CopySource=source, IfNoneMatch="*"
            )
        except _FAILURES as problem:
            # Whoever published it first made these very bytes.
            if _code(problem) != "PreconditionFailed":
                if not _is_missing(problem):
                    raise self._error("publish", key, problem) from None
                if self.info(key) is None:
                    raise NotFound(f"neither {work} nor {key} is in {self.location}") from None
        self.delete(work)

    def open(self, key: str) -> ObjectReader:
        return _ObjectReader(self, key)

    def info(self, key: str) -> ObjectInfo | None:
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=self._path(key))
        except _FAILURES as problem:
            if _is_missing(problem):
                return None
            raise self._error("look at", key, problem) from None
        return ObjectInfo(key, answer["ContentLength"], _nanos(answer["LastModified"]))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._path(prefix)):
                for entry in page.get("Contents", []):
                    key = entry["Key"][len(self._prefix) :]
                    # Consoles make empty objects that stand for directories.
                    if is_key(key):
                        yield ObjectInfo(key, entry["Size"], _nanos(entry["LastModified"]))
        except _FAILURES as problem:
            raise self._error("list", prefix, problem) from None

    def delete(self, key: str) -> None:
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._path(key))
        except _FAILURES as problem:
            raise self._error("remove", key, problem) from None

    def delete_all(self, prefix: str) -> None:
        if not is_key(prefix + "x"):
            raise StoreError(f"{prefix} is not the beginning of a key")
        keys = [{"Key": self._path(each.key)} for each in self.list(prefix)]
        for start in range(0, len(keys), DELETES_AT_ONCE):
            some = keys[start : start + DELETES_AT_ONCE]
            try:
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": some, "Quiet": True}
                )
            except _FAILURES as problem:
                raise self._error("remove", prefix, problem) from None
            for refused in answer.get("Errors", []):
                raise StoreError(
                    f"cannot remove s3://{self._bucket}/{refused['Key']}: {refused['Message']}"
                )

    # --- below ------------------------------------------------------------------------------------

    def get(self, key: str, offset: int, tag: str | None) -> dict[str, Any]:
        """An object from a byte on; with a tag, only the one that has it."""
        conditions: dict[str, str] = {}
        if offset:
            conditions["Range"] = f"bytes={offset}-"
        if tag:
            conditions["IfMatch"] = tag
        try:
            return dict(
                self._client.get_object(Bucket=self._bucket, Key=self._path(key), **conditions)
            )
        except _FAILURES as problem:
            if _code(problem) in ("PreconditionFailed", "412", "InvalidRange"):
                raise Changed(f"{self._name(key)} changed while it was read") from None
            raise self._error("read", key, problem) from None

    def upload(self, body: IO[bytes], key: str) -> None:
        try:
            self._client.upload_fileobj(body, self._bucket, self._path(key))
        except _FAILURES as problem:
            raise self._error("store", key, problem) from None

    def _path(self, key: str) -> str:
        return self._prefix + key

    def _name(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._path(key)}"

    def _error(self, verb: str, key: str, problem: Exception) -> StoreError:
        if _is_missing(problem):
            return NotFound(f"{self._name(key)} does not exist")
        if _code(problem) in ("AccessDenied", "403"):
            return Denied(f"may not {verb} {self._name(key)}: give the job's role the right to it")
        return StoreError(f"cannot {verb} {self._name(key)}: {problem}")


class _ObjectReader:
    def __init__(self, store: S3Store, key: str) -> None:
        self._store = store
        answer = store.get(key, 0, None)
        self._tag = answer["ETag"]
        self._body = answer["Body"]
        self._offset = 0
        self.info = ObjectInfo(key, answer["ContentLength"], _nanos(answer["LastModified"]))

    def read(self, most: int) -> bytes:
        for resumes in range(MOST_RESUMES + 1):
            try:
                data: bytes = self._body.read(min(most, self.info.size_bytes - self._offset))
            except _BROKEN as problem:
                if resumes == MOST_RESUMES:
                    raise StoreError(f"cannot read {self.info.key}: {problem}; try again") from None
                self._body = self._store.get(self.info.key, self._offset, self._tag)["Body"]
                continue
            self._offset += len(data)
            return data
        raise AssertionError("unreachable")

    def is_unchanged(self) -> bool:
        # One answer is one version of the object, whatever is put there meanwhile.
        return True

    def close(self) -> None:
        self._body.close()


class _ObjectWriter:
    """Collects on the local disk, so that the object is stored in one go."""

    def __init__(self, store: S3Store, key: str) -> None:
        self._store = store
        self._key = key
        self._file = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115

    def write(self, data: bytes) -> object:
        return self._file.write(data)

    def finish(self) -> None:
        with self._file:
            self._file.seek(0)
            self._store.upload(self._file, self._key)

    def discard(self) -> None:
        self._file.close()


def _code(problem: Exception) -> str:
    """S3's own name of a failure; empty where no answer came."""
    if not isinstance(problem, ClientError):
        return ""
    return str(problem.response.get("Error", {}).get("Code", ""))


def _is_missing(problem: Exception) -> bool:
    return _code(problem) in ("NoSuchKey", "404", "NotFound")


def _nanos(modified: Any) -> int:
    # Whole seconds: a listing may tell more than a look at the object does.
    return int(modified.timestamp()) * 1_000_000_000
