variable "role_name" {
  description = "Name of the role, and of its instance profile."
  type        = string
}

variable "service" {
  description = "On what it runs: ec2.amazonaws.com or ecs-tasks.amazonaws.com."
  type        = string
}

variable "trusted_arns" {
  description = "Users and roles that may take the role as well, each by its exact ARN."
  type        = list(string)
  validation {
    condition     = alltrue([for arn in var.trusted_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(user|role)/[^*]+$", arn))])
    error_message = "Name users and roles by their exact ARNs, not by an account's root and not by a pattern."
  }
}

variable "policies" {
  description = "What the role may do: policies as JSON, by name."
  type        = map(string)
}
