# The role that Snowflake assumes to read bronze. It trusts one user of Snowflake's, who has to name
# one external id.

resource "aws_iam_role" "reader" {
  name                 = var.role_name
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [var.snowflake_user_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
  }
}

resource "aws_iam_role_policy" "reader" {
  name = "read-bronze"
  role = aws_iam_role.reader.id
  policy = templatefile("${path.module}/../../snowflake_reader_policy.json", {
    bucket_arn  = var.bucket_arn
    lake_arn    = var.lake_arn
    lake_prefix = var.lake_prefix
  })
}
