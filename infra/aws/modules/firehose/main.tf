# A stream whose records land in raw, in the lake's own layout.

resource "aws_kinesis_firehose_delivery_stream" "raw" {
  #checkov:skip=CKV_AWS_241:Encrypted with the service's own key, as the bucket is with S3's; infra/aws/README.md says why
  name        = var.name
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "AWS_OWNED_CMK"
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.firehose.arn
    bucket_arn          = var.bucket_arn
    prefix              = "${var.lake_prefix}raw/yyyy=!{timestamp:yyyy}/mm=!{timestamp:MM}/dd=!{timestamp:dd}/HH=!{timestamp:HH}/"
    error_output_prefix = "${var.lake_prefix}firehose-errors/!{firehose:error-output-type}/yyyy=!{timestamp:yyyy}/mm=!{timestamp:MM}/dd=!{timestamp:dd}/"
    file_extension      = ".json"
    custom_time_zone    = "UTC"
    # Records are lines that end with their newline: nothing is put between them.
    compression_format = "UNCOMPRESSED"
    buffering_size     = var.buffer_megabytes
    buffering_interval = var.buffer_seconds

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose.name
      log_stream_name = aws_cloudwatch_log_stream.firehose.name
    }
  }
}

resource "aws_cloudwatch_log_group" "firehose" {
  #checkov:skip=CKV_AWS_158:Delivery errors, never records; encrypted by CloudWatch's own key
  name              = "/aws/kinesisfirehose/${var.name}"
  retention_in_days = 400
}

resource "aws_cloudwatch_log_stream" "firehose" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.firehose.name
}

resource "aws_iam_role" "firehose" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "firehose" {
  name = "deliver-into-raw"
  role = aws_iam_role.firehose.id
  policy = templatefile("${path.module}/../../firehose_role_policy.json", {
    bucket_arn    = var.bucket_arn
    lake_arn      = var.lake_arn
    log_group_arn = aws_cloudwatch_log_group.firehose.arn
  })
}
