output "job" {
  description = "Name of the job."
  value       = aws_glue_job.cleaner.name
}
