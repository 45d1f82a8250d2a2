variable "name" {
  description = "Name of the stream, for medallion simulate --firehose."
  type        = string
}

variable "role_name" {
  description = "Name of the role that delivers."
  type        = string
}

variable "account_id" {
  description = "The account of the stream."
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

variable "buffer_megabytes" {
  description = "An object is delivered when it has this size."
  type        = number
  default     = 64
}

variable "buffer_seconds" {
  description = "An object is delivered when it is this old."
  type        = number
  default     = 60
}
