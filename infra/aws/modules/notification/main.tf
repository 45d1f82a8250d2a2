# Who hears of which new objects. A bucket has one such configuration, so this is the only place.

resource "aws_s3_bucket_notification" "lake" {
  bucket = var.bucket

  queue {
    id            = "raw"
    queue_arn     = var.queue_arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "${var.lake_prefix}raw/"
  }

  queue {
    id            = "bronze"
    queue_arn     = coalesce(var.snowpipe_queue_arn, var.queue_arn)
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "${var.lake_prefix}bronze/"
  }
}
