"""Exits 0 if a DuckDB library is of the wanted version: duckdb_version.py LIBRARY VERSION."""

import ctypes
import sys


def main() -> int:
    try:
        library = ctypes.CDLL(sys.argv[1])
        library.duckdb_library_version.restype = ctypes.c_char_p
        version = library.duckdb_library_version().decode()
    except (OSError, AttributeError):
        return 1
    return 0 if version.removeprefix("v") == sys.argv[2] else 1


if __name__ == "__main__":
    sys.exit(main())
