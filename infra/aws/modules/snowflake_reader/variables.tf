variable "role_name" {
  description = "Name of the role."
  type        = string
}

variable "snowflake_user_arn" {
  description = "STORAGE_AWS_IAM_USER_ARN of DESC STORAGE INTEGRATION."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(user|role)/[^*]+$", var.snowflake_user_arn))
    error_message = "It must be the exact ARN of one user, as DESC STORAGE INTEGRATION shows it."
  }
}

variable "external_id" {
  description = "STORAGE_AWS_EXTERNAL_ID of DESC STORAGE INTEGRATION."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@:/_-]+$", var.external_id))
    error_message = "It must be the id that DESC STORAGE INTEGRATION shows, without blanks or patterns."
  }
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
