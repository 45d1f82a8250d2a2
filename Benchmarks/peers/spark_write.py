"""Spark on this machine: a typed JSON read, a write partitioned by day."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructType, TimestampType

from Benchmarks.peers.job import COLUMNS, ZSTD_LEVEL, Job, parse

TYPES = {
    "ts": TimestampType(),
    "price": DoubleType(),
    "quantity": IntegerType(),
    "total_amount": DoubleType(),
}


def _convert(spark: SparkSession, job: Job) -> None:
    schema = StructType()
    for name in COLUMNS:
        schema.add(name, TYPES.get(name, StringType()))
    mode = "PERMISSIVE" if job.skip_bad else "FAILFAST"
    # The folders of the raw layout are no columns.
    reader = spark.read.schema(schema).option("mode", mode).option("recursiveFileLookup", "true")
    lines = reader.json(job.input.split("/*", 1)[0])
    if job.skip_bad:
        lines = lines.where(F.col("event_id").isNotNull() & F.col("ts").isNotNull())
    lines = lines.select(*COLUMNS, F.to_date("ts").alias("dt"))
    lines.write.partitionBy("dt").option("compression", "zstd").parquet(str(job.output))


def run(job: Job) -> None:
    spark = (
        SparkSession.builder.master(f"local[{job.threads}]")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.host", "localhost")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.hadoop.parquet.compression.codec.zstd.level", str(ZSTD_LEVEL))
        .getOrCreate()
    )
    try:
        if not job.empty:
            _convert(spark, job)
    finally:
        machine = spark.sparkContext._gateway.proc
        spark.stop()
        # The virtual machine ends with its input; waited for, its usage counts as this process's.
        machine.stdin.close()
        machine.wait()


if __name__ == "__main__":
    run(parse())
