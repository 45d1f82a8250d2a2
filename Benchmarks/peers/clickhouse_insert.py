"""ClickHouse inside the process (chdb): INSERT INTO FUNCTION file, partitioned by day."""

from __future__ import annotations

import chdb

from Benchmarks.peers.job import COLUMNS, ZSTD_LEVEL, Job, parse

TYPES = {
    "ts": "DateTime64(6, 'UTC')",
    "price": "Float64",
    "quantity": "Int32",
    "total_amount": "Float64",
}


def run(job: Job) -> None:
    if job.empty:
        chdb.query("SELECT 1")
        return
    job.output.mkdir(parents=True)
    types = {name: TYPES.get(name, "String") for name in COLUMNS}
    if job.skip_bad:
        # Without Nullable an absent time would be 1970.
        types |= {name: f"Nullable({types[name]})" for name in ("event_id", "ts")}
    structure = ", ".join(f"{name} {kind}" for name, kind in types.items())
    values = dict.fromkeys(COLUMNS) | {
        name: f"assumeNotNull({name}) AS {name}" for name in ("event_id", "ts") if job.skip_bad
    }
    errors = "input_format_allow_errors_num = 1000000000, input_format_allow_errors_ratio = 1,"
    # Bloom filters, on by default, cost an eighth more and nobody else writes them.
    chdb.query(
        f"""
        INSERT INTO FUNCTION
            file('{job.output}/dt={{_partition_id}}/data.parquet', 'Parquet')
            PARTITION BY toDate(ts)
        SELECT {", ".join(value or name for name, value in values.items())}
        FROM file('{job.input}', 'JSONEachRow', $${structure}$$) AS line
        {"WHERE isNotNull(line.event_id) AND isNotNull(line.ts)" if job.skip_bad else ""}
        SETTINGS {errors if job.skip_bad else ""}
            max_threads = {job.threads}, max_insert_threads = {job.threads},
            date_time_input_format = 'best_effort',
            output_format_parquet_compression_method = 'zstd',
            output_format_compression_level = {ZSTD_LEVEL},
            output_format_parquet_write_bloom_filter = 0
        """
    )


if __name__ == "__main__":
    run(parse())
