variable "region" {
  description = "Where everything is; the same as the Snowflake account's saves transfer costs."
  type        = string
}

variable "name" {
  description = "What the names of roles, queues, stream and job begin with."
  type        = string
  default     = "retail-lake"
}

variable "bucket" {
  description = "Name of the lake's bucket; its access logs go to the same name with -logs."
  type        = string
}

variable "lake_prefix" {
  description = "Where in the bucket the lake is: empty, or ends with a slash. The lake is s3://BUCKET/PREFIX."
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]+/)*$", var.lake_prefix))
    error_message = "It must be empty, or end with a slash, as in lakes/retail/."
  }
}

variable "administrator_arn" {
  description = "Who, beside the roles, may touch objects, and runs terraform: the ARN of a user or role, or a pattern of ARNs."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(user|role)/", var.administrator_arn))
    error_message = "It must be the ARN of a user or a role; of a role the role's own, not that of a session."
  }
}

variable "runs_on" {
  description = "On what simulator and worker run: ec2.amazonaws.com or ecs-tasks.amazonaws.com."
  type        = string
  default     = "ec2.amazonaws.com"
}

variable "simulator_trusted_arns" {
  description = "Users and roles that may take the simulator's role as well."
  type        = list(string)
  default     = []
}

variable "bronze_worker_trusted_arns" {
  description = "Users and roles that may take the bronze worker's role as well."
  type        = list(string)
  default     = []
}

variable "simulates_retail_world" {
  description = "Whether the simulator may also replace the files of dimensions/, which --world retail writes."
  type        = bool
  default     = false
}

variable "bronze_engine" {
  description = "Who makes bronze: medallion (the job is there, its trigger off) or glue."
  type        = string
  default     = "medallion"
  validation {
    condition     = contains(["medallion", "glue"], var.bronze_engine)
    error_message = "It must be medallion or glue."
  }
}

variable "glue_script" {
  description = "Path of glue_job_cleaner.py."
  type        = string
  default     = "../../../glue/glue_job_cleaner.py"
}

variable "glue_package" {
  description = "Path of what `make glue-package` makes."
  type        = string
  default     = "../../../dist/medallion_glue.zip"
}

variable "glue_requirements" {
  description = "Path of glue_job_requirements.txt."
  type        = string
  default     = "../../../glue/glue_job_requirements.txt"
}

variable "snowflake_user_arn" {
  description = "STORAGE_AWS_IAM_USER_ARN of DESC STORAGE INTEGRATION; null until the integration is there."
  type        = string
  default     = null
}

variable "snowflake_external_id" {
  description = "STORAGE_AWS_EXTERNAL_ID of DESC STORAGE INTEGRATION; null until the integration is there."
  type        = string
  default     = null
  validation {
    condition     = (var.snowflake_external_id == null) == (var.snowflake_user_arn == null)
    error_message = "Give both snowflake_user_arn and snowflake_external_id, or neither."
  }
}

variable "snowpipe_queue_arn" {
  description = "notification_channel of SHOW PIPES; null until the pipe is there."
  type        = string
  default     = null
}
