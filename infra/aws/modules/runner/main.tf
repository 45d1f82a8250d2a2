# A role for a program of ours that runs on a host: who may have it, and the policy that it has.

resource "aws_iam_role" "runner" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = [var.service]
    }
  }

  dynamic "statement" {
    for_each = length(var.trusted_arns) == 0 ? [] : [var.trusted_arns]
    content {
      actions = ["sts:AssumeRole"]
      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }
}

resource "aws_iam_role_policy" "runner" {
  for_each = var.policies
  name     = each.key
  role     = aws_iam_role.runner.id
  policy   = each.value
}

resource "aws_iam_instance_profile" "runner" {
  count = var.service == "ec2.amazonaws.com" ? 1 : 0
  name  = var.role_name
  role  = aws_iam_role.runner.name
}
