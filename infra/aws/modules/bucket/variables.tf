variable "bucket" {
  description = "Name of the lake's bucket; its access logs go to the same name with -logs."
  type        = string
}

variable "lake_prefix" {
  description = "Where in the bucket the lake is: empty, or ends with a slash."
  type        = string
}

variable "account_id" {
  description = "The account that owns the buckets."
  type        = string
}

variable "administrator_arn" {
  description = "Who, beside the roles, may touch objects: an ARN, or a pattern of ARNs."
  type        = string
}

variable "role_arns" {
  description = "The roles that may touch objects, each under the name that s3_bucket_policy.json has for it."
  type        = map(string)
}

variable "raw_infrequent_after_days" {
  description = "When raw objects go to STANDARD_IA; at least 30."
  type        = number
  default     = 30
}

variable "raw_archive_after_days" {
  description = "When raw objects go to GLACIER_IR."
  type        = number
  default     = 90
}

variable "keep_access_logs_days" {
  description = "When access logs expire."
  type        = number
  default     = 400
}
