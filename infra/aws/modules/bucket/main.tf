# The lake's bucket, and a second one for its access logs.

resource "aws_s3_bucket" "lake" {
  #checkov:skip=CKV_AWS_144:One region is enough: raw is versioned and nobody may delete it; a copy elsewhere is a choice of cost
  #checkov:skip=CKV_AWS_145:SSE-S3 on purpose; infra/aws/README.md says why
  #checkov:skip=CKV2_AWS_62:Notifications are set by the module notification, which checkov does not follow
  bucket = var.bucket
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "lake" {
  bucket        = aws_s3_bucket.lake.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "access/"
  depends_on    = [aws_s3_bucket_policy.logs]
}

# Nothing of the history expires. Work in progress is removed by those who made it: an object below
# tmp/ may be committed and not yet published, so its age says nothing.
resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket     = aws_s3_bucket.lake.id
  depends_on = [aws_s3_bucket_versioning.lake]

  rule {
    id     = "abort-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "cool-raw"
    status = "Enabled"
    filter {
      prefix = "${var.lake_prefix}raw/"
    }
    transition {
      days          = var.raw_infrequent_after_days
      storage_class = "STANDARD_IA"
    }
    # Still readable at once: verify --deep and rebuild read all of raw.
    transition {
      days          = var.raw_archive_after_days
      storage_class = "GLACIER_IR"
    }
  }

  dynamic "rule" {
    for_each = { tmp = 1, gold = 30, dimensions = 30 }
    content {
      id     = "forget-replaced-${rule.key}"
      status = "Enabled"
      filter {
        prefix = "${var.lake_prefix}${rule.key}/"
      }
      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }
      expiration {
        expired_object_delete_marker = true
      }
    }
  }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket = aws_s3_bucket.lake.id
  policy = templatefile("${path.module}/../../s3_bucket_policy.json", merge(var.role_arns, {
    bucket_arn        = aws_s3_bucket.lake.arn
    lake_arn          = local.lake_arn
    administrator_arn = var.administrator_arn
  }))
  depends_on = [aws_s3_bucket_public_access_block.lake]
}

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_18:The bucket that access logs go to logs no accesses: that would never end
  #checkov:skip=CKV_AWS_21:Log files are written once and expire; there is no older version to keep
  #checkov:skip=CKV_AWS_144:Access logs are not worth a copy in another region
  #checkov:skip=CKV_AWS_145:S3 delivers access logs only to buckets with SSE-S3
  #checkov:skip=CKV2_AWS_62:Nobody waits for log files
  bucket = "${var.bucket}-logs"
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    id     = "forget-logs"
    status = "Enabled"
    filter {}
    expiration {
      days = var.keep_access_logs_days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = templatefile("${path.module}/../../log_bucket_policy.json", {
    account_id     = var.account_id
    bucket_arn     = aws_s3_bucket.lake.arn
    log_bucket_arn = aws_s3_bucket.logs.arn
  })
  depends_on = [aws_s3_bucket_public_access_block.logs]
}

locals {
  # Without its last slash.
  lake_arn = trimsuffix("${aws_s3_bucket.lake.arn}/${var.lake_prefix}", "/")
}
