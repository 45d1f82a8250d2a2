"""What a run did, as metrics in CloudWatch (`docs/glue.md` names them)."""

from __future__ import annotations

from typing import Any

from medallion_glue.job import Report


def metric_data(job_name: str, report: Report) -> list[dict[str, Any]]:
    """The run's metrics in the form of PutMetricData."""
    values = {
        "RawObjects": (report.raw_objects, "Count"),
        "RawBytes": (report.raw_bytes, "Bytes"),
        "RawLines": (report.counts.lines, "Count"),
        "AcceptedRows": (report.counts.accepted, "Count"),
        "QuarantinedLines": (report.counts.quarantined_total, "Count"),
        "BlankLines": (report.counts.blank, "Count"),
        "BronzeFiles": (report.bronze_files, "Count"),
        "BronzeBytes": (report.bronze_bytes, "Bytes"),
        "FaultyObjects": (len(report.faults), "Count"),
        "ChangedObjects": (len(report.changed), "Count"),
        "ElapsedSeconds": (report.elapsed_seconds, "Seconds"),
    }
    dimensions = [{"Name": "JobName", "Value": job_name}]
    return [
        {"MetricName": name, "Dimensions": dimensions, "Value": float(value), "Unit": unit}
        for name, (value, unit) in values.items()
    ]


def send(namespace: str, job_name: str, report: Report) -> None:
    # Only where it is wanted: boto3 takes a second to import.
    import boto3

    client = boto3.client("cloudwatch")
    client.put_metric_data(Namespace=namespace, MetricData=metric_data(job_name, report))
