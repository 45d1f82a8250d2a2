# The Glue job that makes bronze, what starts it, and its code in the bucket.

resource "aws_glue_job" "cleaner" {
  #checkov:skip=CKV_AWS_195:The job's logs and bookmarks hold counts and keys, no lines; the bucket encrypts the rest
  name              = var.name
  description       = "Reads raw, writes bronze and quarantine, commits."
  role_arn          = aws_iam_role.glue.arn
  glue_version      = "5.1"
  worker_type       = var.worker_type
  number_of_workers = var.workers
  timeout           = var.timeout_minutes
  # The next run finishes what one left.
  max_retries = 0

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "s3://${var.bucket}/${aws_s3_object.script.key}"
  }

  # Two runs would do the same work twice; the commits would keep only one of them.
  execution_property {
    max_concurrent_runs = 1
  }

  default_arguments = merge({
    "--INPUT_S3"                         = "s3://${var.bucket}/${var.lake_prefix}raw/"
    "--OUTPUT_S3"                        = "s3://${var.bucket}/${var.lake_prefix}bronze/"
    "--QUARANTINE_S3"                    = "s3://${var.bucket}/${var.lake_prefix}quarantine/"
    "--METRICS_NAMESPACE"                = "Medallion"
    "--extra-py-files"                   = "s3://${var.bucket}/${aws_s3_object.package.key}"
    "--additional-python-modules"        = join(",", local.python_modules)
    "--job-bookmark-option"              = "job-bookmark-disable"
    "--enable-auto-scaling"              = "true"
    "--enable-metrics"                   = "true"
    "--enable-observability-metrics"     = "true"
    "--enable-continuous-cloudwatch-log" = "true"
  }, var.extra_arguments)
}

locals {
  python_modules = [
    for line in split("\n", file(var.requirements)) : trimspace(line)
    if trimspace(line) != "" && !startswith(trimspace(line), "#")
  ]
}

resource "aws_glue_trigger" "cleaner" {
  name     = var.name
  type     = "SCHEDULED"
  schedule = var.schedule
  enabled  = var.is_scheduled
  actions {
    job_name = aws_glue_job.cleaner.name
  }
}

resource "aws_s3_object" "script" {
  bucket      = var.bucket
  key         = "code/glue/glue_job_cleaner.py"
  source      = var.script
  source_hash = filemd5(var.script)
}

resource "aws_s3_object" "package" {
  bucket      = var.bucket
  key         = "code/glue/${basename(var.package)}"
  source      = var.package
  source_hash = filemd5(var.package)
}

resource "aws_iam_role" "glue" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "glue" {
  name = "make-bronze"
  role = aws_iam_role.glue.id
  policy = templatefile("${path.module}/../../glue_job_role_policy.json", {
    account_id = var.account_id
    bucket_arn = var.bucket_arn
    lake_arn   = var.lake_arn
    region     = var.region
  })
}
