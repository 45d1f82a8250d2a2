"""The statements of infra/snowflake/*.sql, as a client sends them."""

from __future__ import annotations

import io
import re
from pathlib import Path

from snowflake.connector.util_text import split_statements
from warehouse import REPOSITORY

DIRECTORY = REPOSITORY / "infra" / "snowflake"

#: In the order in which the instructions run them.
FILES = (
    *("setup_roles", "create_stage_and_pipe", "merge_staging", "copy_into"),
    *("copy_quarantine_and_dimensions", "monitoring", "costs", "teardown"),
)

VARIABLE = re.compile(r"&\{(\w+)\}")

#: What stands for the variables that the files ask for.
VALUES = {
    "lake": "s3://my-retail-streaming-bucket/lake",
    "aws_role_arn": "arn:aws:iam::123456789012:role/retail-snowflake",
    "external_id": "a-phrase-of-your-own",
    "credit_quota": "20",
    "loader_public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
    "transformer_public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8B",
    "reader_public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8C",
}


def path_of(file: str) -> Path:
    return DIRECTORY / f"{file}.sql"


def text_of(file: str) -> str:
    """A file's text, with a value for each variable."""
    return VARIABLE.sub(lambda variable: VALUES[variable[1]], path_of(file).read_text())


def statements_of(file: str) -> list[str]:
    """A file's statements without comments, split as Snowflake's connector does it."""
    split = split_statements(io.StringIO(text_of(file)), remove_comments=True)
    return [statement.rstrip(";") for statement, _ in split if statement.strip()]


def statement_of(file: str, opening: str) -> str:
    """The one statement of a file that begins so."""
    [found] = [text for text in statements_of(file) if one_line(text).startswith(opening)]
    return found


def one_line(statement: str) -> str:
    return " ".join(statement.split())


def copy_of(statement: str) -> str:
    """The COPY that a pipe or a task consists of."""
    return statement[statement.index("copy into") :]
