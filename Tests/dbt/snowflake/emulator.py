"""A Snowflake emulator on 127.0.0.1, as a process of its own.

It is fakesnow: Snowflake's connector and dbt-snowflake log in to it over HTTP, it translates their
SQL and **computes with DuckDB**, in memory. So it shows that models, dialect and connector go
together; of Snowflake's own arithmetic, collation and transactions it shows nothing. It checks no
password and no key.

    python emulator.py      prints {"port": N} when it listens on a free port, and serves until its
                            stdin ends

Thirteen things are patched at start-up, each because of a gap of fakesnow 0.11.22:

- TEMPORARY goes from CREATE: dbt names a temporary table with its schema, which DuckDB refuses.
- A MERGE is DuckDB's own, which is one statement, and not three that go around a transaction.
- An error that fakesnow does not expect becomes one of Snowflake's (000603, internal error) and not
  an HTTP 500, which the connector would ask for again for minutes.
- MD5_NUMBER_LOWER64, which it does not know, gives the number that Snowflake documents.
- TRIM keeps its second argument, the characters to trim.
- SUM and the like do not go by way of a DOUBLE.
- A cast to INTEGER stays one: DuckDB adds an INTEGER to a DATE, as Snowflake does, and no BIGINT.
- TRY_CAST to a timestamp gives NULL for what is none, and no error.
- A timestamp that is NULL reaches the client as NULL, and not as 1970.
- A statement is translated in place: fakesnow copies it some 80 times, most of its time.
- After ALTER SESSION SET TRANSACTION_ABORT_ON_ERROR = TRUE a statement that fails ends its
  transaction, so that nothing of it is left. (Snowflake has the next ones fail until a ROLLBACK.)
- COPY goes by PATTERN, knows METADATA$FILENAME and METADATA$START_SCAN_TIME, and takes members of
  JSON by their names. With ON_ERROR = SKIP_FILE it still ends at the first file that does not load.
- CREATE PROCEDURE keeps a body of plain statements between BEGIN and EXCEPTION, and CALL executes
  them one after the other, and ROLLBACK if one fails. Nothing else of a procedure is emulated.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import socket
import threading
from contextvars import ContextVar
from typing import Any

import duckdb
import fakesnow.server
import pyarrow as pa
import sqlglot
import uvicorn
from fakesnow import arrow, copy_into, transforms
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.errors import Error, ProgrammingError
from snowflake.connector.util_text import split_statements
from sqlglot import exp

INTERNAL_ERROR = 603


def without_temporary(expression: Any) -> Any:
    """CREATE TABLE instead of CREATE TEMPORARY TABLE."""
    if isinstance(expression, exp.Create) and (properties := expression.args.get("properties")):
        kept = [item for item in properties.expressions if not is_temporary(item)]
        properties.set("expressions", kept)
    return expression


def is_temporary(item: Any) -> bool:
    return isinstance(item, exp.TemporaryProperty)


ABORT_ON_ERROR = "TRANSACTION_ABORT_ON_ERROR = TRUE"


def abort(cursor: Any) -> None:
    """Ends the transaction of a session that has asked for it."""
    if getattr(cursor._conn, "aborts_on_error", False):
        with contextlib.suppress(duckdb.TransactionException):
            cursor._duck_conn.execute("rollback")


def without_abort_on_error(expression: Any) -> Any:
    """A statement that only succeeds, instead of the one that DuckDB does not know."""
    if isinstance(expression, exp.Alter) and expression.kind == "SESSION":
        for item in expression.find_all(exp.EQ):
            if item.sql(comments=False).upper() == ABORT_ON_ERROR:
                return transforms.SUCCESS_NOP
    return expression


timestamp_to_sf_struct = arrow.timestamp_to_sf_struct
to_timestamp = transforms.to_timestamp
integer_precision = transforms.integer_precision


def with_md5_numbers(expression: Any) -> Any:
    """The last 8 bytes of the digest as a big-endian number, which is not DuckDB's own function."""

    def number(node: Any) -> Any:
        if not isinstance(node, exp.MD5NumberLower64):
            return node
        digits = f"'0x' || substring(md5({node.this.sql('duckdb')}), 17, 16)"
        return sqlglot.parse_one(
            f"cast(cast({digits} as ubigint) as decimal(20, 0))", read="duckdb"
        )

    return expression.transform(number)


#: What becomes of a parsed statement before fakesnow translates it.
PATCHES = (without_temporary, without_abort_on_error, with_md5_numbers)


def trim_as_text(expression: Any) -> Any:
    """TRIM casts what it trims to VARCHAR (and leaves the characters where they are)."""
    if isinstance(expression, exp.Trim):
        expression.set("this", exp.cast(expression.this, exp.DataType.Type.VARCHAR))
    return expression


def integer_unless_cast(expression: Any) -> Any:
    is_cast = isinstance(expression, exp.DataType) and isinstance(expression.parent, exp.Cast)
    if is_cast and expression.this == exp.DataType.Type.INT:
        return expression
    return integer_precision(expression)


def timestamp_unless_tried(expression: Any) -> Any:
    return expression if isinstance(expression, exp.TryCast) else to_timestamp(expression)


def with_nulls(times: Any) -> Any:
    """What the connector reads as timestamps, with its nulls marked."""
    times = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
    parts = timestamp_to_sf_struct(times)
    return pa.StructArray.from_arrays(
        [part.fill_null(0) for part in parts.flatten()],
        fields=list(parts.type),
        mask=times.is_null(),
    )


def as_it_is(expression: Any) -> Any:
    return expression


def by_itself(expression: Any) -> list[Any]:
    return [expression]


copy_parameters = copy_into._params
copy_files = copy_into._source_glob
copy_inserts = copy_into._inserts

#: The PATTERN of the COPY at hand.
pattern: ContextVar[str] = ContextVar("pattern", default=".*")


def parameters_with_pattern(expression: Any, *args: Any, **kwargs: Any) -> Any:
    pattern.set(".*")
    kept = []
    for parameter in expression.args.get("params", []):
        name = parameter.this.name.upper()
        if name == "PATTERN":
            pattern.set(parameter.expression.name)
        elif name != "ON_ERROR" or parameter.expression.name.upper() != "SKIP_FILE":
            kept.append(parameter)
    expression.set("params", kept)
    return copy_parameters(expression, *args, **kwargs)


def files_by_pattern(*args: Any) -> list[str]:
    return sorted(file for file in copy_files(*args) if re.fullmatch(pattern.get(), file))


def inserts_with_metadata(expression: Any, parameters: Any, urls: list[str], *args: Any) -> Any:
    members = [key.name for key in expression.args["files"][0].find_all(exp.JSONPathKey)]
    inserts = copy_inserts(expression, parameters, urls, *args)
    for url, insert in zip(urls, inserts, strict=True):
        values = {
            "METADATA$FILENAME": exp.Literal.string(url),
            "METADATA$START_SCAN_TIME": exp.CurrentTimestamp(),
        }
        # The inserts share the nodes of their SELECT list.
        select = insert.expression.copy()
        insert.set("expression", select)
        for column in list(select.find_all(exp.Column)):
            if (value := values.get(column.name.upper())) is not None:
                column.replace(value)
        if isinstance(parameters.file_format, copy_into.ReadJSON) and members:
            select.from_(json_lines(url, members), copy=False)
    return inserts


def json_lines(url: str, members: list[str]) -> Any:
    """The lines of a file, with those members as text."""
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in members)
    return sqlglot.parse_one(f"read_ndjson('{url}', columns = {{{columns}}})", read="duckdb")


PROCEDURE = re.compile(
    r"\s*create or replace procedure (?P<name>[\w.]+)\(\).*"
    r"\$\$\s*begin\s(?P<body>.*)\sexception\s.*\$\$",
    re.DOTALL,
)
CALL = re.compile(r"\s*call (?P<name>[\w.]+)\(\)")

#: The statements of each procedure, by its name.
procedures: dict[str, list[str]] = {}


def create_procedure(name: str, body: str) -> None:
    statements = [text for text, _ in split_statements(io.StringIO(body), remove_comments=True)]
    procedures[name] = [text for text in statements if not text.startswith("return")]


def patch() -> None:
    transform_explode = FakeSnowflakeCursor._transform_explode
    execute = FakeSnowflakeCursor.execute

    def patched_transform_explode(self: Any, expression: Any) -> Any:
        for change in PATCHES:
            expression = change(expression)
        return transform_explode(self, expression)

    def executed(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        if procedure := PROCEDURE.match(command):
            create_procedure(procedure["name"], procedure["body"])
            return execute(self, "select 'procedure created'")
        if ABORT_ON_ERROR in command.upper():
            self._conn.aborts_on_error = True
        call = CALL.match(command)
        if call is None or call["name"] not in procedures:
            return execute(self, command, *args, **kwargs)
        try:
            for statement in procedures[call["name"]]:
                execute(self, statement)
        except Exception:
            execute(self, "rollback")
            raise
        return execute(self, "select 'called'")

    def patched_execute(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return executed(self, *args, **kwargs)
        except Error:
            abort(self)
            raise
        except Exception as error:
            abort(self)
            message = f"{type(error).__name__}: {error}"
            raise ProgrammingError(msg=message, errno=INTERNAL_ERROR, sqlstate="XX000") from error

    exp.Expression.transform = functools.partialmethod(exp.Expression.transform, copy=False)
    transforms.integer_precision = integer_unless_cast
    arrow.timestamp_to_sf_struct = with_nulls
    transforms.to_timestamp = timestamp_unless_tried
    transforms.trim_cast_varchar = trim_as_text
    transforms.numeric_agg_implicit_cast = as_it_is
    transforms.merge = by_itself
    copy_into._params = parameters_with_pattern
    copy_into._source_glob = files_by_pattern
    copy_into._inserts = inserts_with_metadata
    FakeSnowflakeCursor._transform_explode = patched_transform_explode
    FakeSnowflakeCursor.execute = patched_execute


def main() -> None:
    patch()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(fakesnow.server.app, log_level="warning"))

    def end_with_stdin() -> None:
        while os.read(0, 1 << 16):
            pass
        server.should_exit = True

    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
