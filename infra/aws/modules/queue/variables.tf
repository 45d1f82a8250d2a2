variable "name" {
  description = "What the queues' names begin with."
  type        = string
}

variable "account_id" {
  description = "The account that owns the bucket."
  type        = string
}

variable "bucket_arn" {
  description = "The bucket whose events come in; no other may send."
  type        = string
}

variable "visibility_timeout_seconds" {
  description = "How long a message is hidden once received; the worker extends it while it works."
  type        = number
  default     = 300
}

variable "max_receive_count" {
  description = "How often a message is received before it is a dead letter."
  type        = number
  default     = 5
}
