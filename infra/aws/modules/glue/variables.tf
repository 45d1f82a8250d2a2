variable "name" {
  description = "Name of the job and of its trigger."
  type        = string
}

variable "role_name" {
  description = "Name of the role that the job has."
  type        = string
}

variable "account_id" {
  description = "The account of the job."
  type        = string
}

variable "region" {
  description = "The region of the job."
  type        = string
}

variable "bucket" {
  description = "Name of the lake's bucket."
  type        = string
}

variable "bucket_arn" {
  description = "ARN of the lake's bucket."
  type        = string
}

variable "lake_arn" {
  description = "What the ARNs of the lake's objects begin with, without a last slash."
  type        = string
}

variable "lake_prefix" {
  description = "Where in the bucket the lake is: empty, or ends with a slash."
  type        = string
}

variable "script" {
  description = "Path of glue_job_cleaner.py."
  type        = string
}

variable "package" {
  description = "Path of the zip that the script imports."
  type        = string
}

variable "requirements" {
  description = "Path of glue_job_requirements.txt: modules to install beside Glue's own."
  type        = string
}

variable "extra_arguments" {
  description = "Further arguments of the job, each with its two dashes."
  type        = map(string)
  default     = {}
}

variable "is_scheduled" {
  description = "Whether the trigger starts the job; off where medallion bronze runs instead."
  type        = bool
}

variable "schedule" {
  description = "When the job starts."
  type        = string
  default     = "cron(0/15 * * * ? *)"
}

variable "worker_type" {
  description = "Size of a worker."
  type        = string
  default     = "G.1X"
}

variable "workers" {
  description = "Most workers that auto-scaling takes."
  type        = number
  default     = 4
}

variable "timeout_minutes" {
  description = "A run that takes longer is stopped; the next one goes on from the commits."
  type        = number
  default     = 60
}
