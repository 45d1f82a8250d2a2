# One lake in one account: the bucket, what fills it, what reads it, and a role for each of them.

provider "aws" {
  region = var.region
  default_tags {
    tags = { project = "retail-streaming-medallion", lake = var.name }
  }
}

data "aws_caller_identity" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  role_names = {
    for role in ["simulator", "bronze-worker", "glue", "firehose", "snowflake"] : role => "${var.name}-${role}"
  }
  # By name, since the bucket's policy tells of roles that need the bucket.
  role_arns = { for role, name in local.role_names : "${replace(role, "-", "_")}_role_arn" => "arn:aws:iam::${local.account_id}:role/${name}" }
}

module "bucket" {
  source            = "../modules/bucket"
  bucket            = var.bucket
  lake_prefix       = var.lake_prefix
  account_id        = local.account_id
  administrator_arn = var.administrator_arn
  role_arns         = local.role_arns
}

module "queue" {
  source     = "../modules/queue"
  name       = var.name
  account_id = local.account_id
  bucket_arn = module.bucket.bucket_arn
}

module "notification" {
  source             = "../modules/notification"
  bucket             = module.bucket.bucket
  lake_prefix        = var.lake_prefix
  queue_arn          = module.queue.queue_arn
  snowpipe_queue_arn = var.snowpipe_queue_arn
}

module "firehose" {
  source      = "../modules/firehose"
  name        = "${var.name}-raw"
  role_name   = local.role_names["firehose"]
  account_id  = local.account_id
  bucket_arn  = module.bucket.bucket_arn
  lake_arn    = module.bucket.lake_arn
  lake_prefix = var.lake_prefix
}

module "glue" {
  source       = "../modules/glue"
  name         = "${var.name}-cleaner"
  role_name    = local.role_names["glue"]
  account_id   = local.account_id
  region       = var.region
  bucket       = module.bucket.bucket
  bucket_arn   = module.bucket.bucket_arn
  lake_arn     = module.bucket.lake_arn
  lake_prefix  = var.lake_prefix
  script       = var.glue_script
  package      = var.glue_package
  requirements = var.glue_requirements
  is_scheduled = var.bronze_engine == "glue"
}

module "simulator" {
  source       = "../modules/runner"
  role_name    = local.role_names["simulator"]
  service      = var.runs_on
  trusted_arns = var.simulator_trusted_arns
  policies = merge({
    put-into-raw = templatefile("${path.module}/../simulator_policy.json", {
      firehose_arn = module.firehose.arn
      lake_arn     = module.bucket.lake_arn
    })
    }, var.simulates_retail_world ? {
    replace-dimensions = templatefile("${path.module}/../simulator_dimensions_policy.json", {
      lake_arn = module.bucket.lake_arn
    })
  } : {})
}

module "bronze_worker" {
  source       = "../modules/runner"
  role_name    = local.role_names["bronze-worker"]
  service      = var.runs_on
  trusted_arns = var.bronze_worker_trusted_arns
  policies = {
    make-bronze-and-gold = templatefile("${path.module}/../bronze_worker_policy.json", {
      bucket_arn = module.bucket.bucket_arn
      lake_arn   = module.bucket.lake_arn
      queue_arn  = module.queue.queue_arn
    })
  }
}

module "snowflake_reader" {
  source = "../modules/snowflake_reader"
  # Only once it is known whom to trust: there is no role that trusts anybody meanwhile.
  count              = var.snowflake_user_arn == null ? 0 : 1
  role_name          = local.role_names["snowflake"]
  snowflake_user_arn = var.snowflake_user_arn
  external_id        = var.snowflake_external_id
  bucket_arn         = module.bucket.bucket_arn
  lake_arn           = module.bucket.lake_arn
  lake_prefix        = var.lake_prefix
}
