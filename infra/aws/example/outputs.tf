output "lake" {
  description = "For medallion --lake."
  value       = "s3://${module.bucket.bucket}/${trimsuffix(var.lake_prefix, "/")}"
}

output "queue_url" {
  description = "For medallion --queue."
  value       = module.queue.queue_url
}

output "dead_letter_queue_url" {
  description = "Where to look for messages that failed."
  value       = module.queue.dead_letter_queue_url
}

output "firehose" {
  description = "For medallion simulate --firehose."
  value       = module.firehose.name
}

output "glue_job" {
  description = "For aws glue start-job-run --job-name."
  value       = module.glue.job
}

output "simulator_role_arn" {
  description = "Puts into raw."
  value       = module.simulator.role_arn
}

output "bronze_worker_role_arn" {
  description = "Reads raw; makes bronze, quarantine, commits and gold."
  value       = module.bronze_worker.role_arn
}

output "snowflake_role_arn" {
  description = "For STORAGE_AWS_ROLE_ARN; the role itself is there once snowflake_user_arn is given."
  value       = local.role_arns["snowflake_role_arn"]
}

output "snowflake_location" {
  description = "For STORAGE_ALLOWED_LOCATIONS and the stage's URL."
  value       = "s3://${module.bucket.bucket}/${var.lake_prefix}bronze/"
}
