terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  skip_credentials_validation = true # for the emulator
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true
  max_retries                 = 2
}

variable "lake_is_private" {
  type    = bool
  default = true
}

variable "database_password" {
  type      = string
  sensitive = true
}

resource "aws_s3_bucket" "lake" {
  bucket = "oakbank-lake"
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = var.lake_is_private
  block_public_policy     = var.lake_is_private
  ignore_public_acls      = var.lake_is_private
  restrict_public_buckets = var.lake_is_private
}

resource "aws_sqs_queue" "applications" {
  name                      = "applications"
  message_retention_seconds = 345600
}

resource "aws_dynamodb_table" "decisions" {
  name         = "decisions"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "application_id"

  attribute {
    name = "application_id"
    type = "S"
  }
}

resource "aws_iam_role" "scorer" {
  name = "scorer"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_secretsmanager_secret" "database" {
  name = "database"
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = var.database_password
}
