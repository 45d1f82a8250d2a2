variable "bucket" {
  description = "Name of the lake's bucket."
  type        = string
}

variable "lake_prefix" {
  description = "Where in the bucket the lake is: empty, or ends with a slash."
  type        = string
}

variable "queue_arn" {
  description = "The queue that hears of raw objects."
  type        = string
}

variable "snowpipe_queue_arn" {
  description = "Snowpipe's own queue (notification_channel in SHOW PIPES), which hears of bronze files; without it the lake's queue does."
  type        = string
  default     = null
}
