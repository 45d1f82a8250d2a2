"""Raw → bronze on Spark: the verdicts, files and commits of the Swift engine, for larger lakes.

The layers, each of which knows only those above it:

- `contract`, `verdict`, `shapes`, `lines`, `quarantine`: bytes of NDJSON → rows and records. Only
  the standard library, no I/O.
- `store`, `s3_store`, `lake`, `raw_object`: objects, keys and commits.
- `columns`, `bronze_file`, `cleaner`: what one task does with its raw objects.
- `plan`, `committer`, `job`: what the driver does.
"""

VERSION = "0.1.0"

#: As commits name their writer.
ENGINE = f"medallion-glue {VERSION}"
