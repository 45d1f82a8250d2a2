output "bucket" {
  description = "Name of the bucket, once everything that protects it is in place."
  value       = aws_s3_bucket.lake.id
  depends_on  = [aws_s3_bucket_policy.lake, aws_s3_bucket_ownership_controls.lake]
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.lake.arn
}

output "lake_arn" {
  description = "What the ARNs of the lake's objects begin with, without a last slash."
  value       = local.lake_arn
}
