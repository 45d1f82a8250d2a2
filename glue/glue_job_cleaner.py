"""AWS Glue job, or plain Spark: raw → bronze with the verdicts and commits of `medallion bronze`.

Needs nothing of awsglue: arguments are read from the command line, and what was consumed stands in
the lake's commits, not in a job bookmark. `--help` lists the arguments; docs/glue.md has the rest.
"""

from __future__ import annotations

import json
import logging
import re
import sys


def main(words: list[str]) -> int:
    from medallion_glue.arguments import UsageError, parse_arguments
    from medallion_glue.contract import ContractError
    from medallion_glue.job import run
    from medallion_glue.lake import LakeError
    from medallion_glue.metrics import send
    from medallion_glue.store import StoreError

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logger = logging.getLogger("medallion")
    logger.setLevel(logging.INFO)
    try:
        arguments = parse_arguments(words)
    except (UsageError, ContractError) as problem:
        print(f"glue_job_cleaner.py: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, UsageError) else 1

    from py4j.protocol import Py4JJavaError
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName(arguments.job_name).getOrCreate()
    try:
        report = run(spark, arguments.settings)
    except (LakeError, StoreError, OSError) as problem:
        print(f"glue_job_cleaner.py: {problem}", file=sys.stderr)
        return 1
    except Py4JJavaError as problem:
        # The last line of a task's own traceback says what happened.
        said = re.findall(r"^[\w.]*(?:Error|Denied|NotFound|Exception): .*", str(problem), re.M)
        print(f"glue_job_cleaner.py: a task failed: {(said or ['see above'])[0]}", file=sys.stderr)
        return 1
    finally:
        spark.stop()
    print(json.dumps(report.as_json(), sort_keys=True))
    if arguments.metrics_namespace:
        try:
            send(arguments.metrics_namespace, arguments.job_name, report)
        except Exception as problem:
            # The lake has everything; metrics only tell of it.
            logger.warning("the metrics could not be sent: %s", problem)
    return 1 if report.faults or report.changed else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Glue takes any exit, even with 0, for a failure.
    if code:
        sys.exit(code)
