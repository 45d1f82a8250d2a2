output "name" {
  description = "For medallion simulate --firehose."
  value       = aws_kinesis_firehose_delivery_stream.raw.name
}

output "arn" {
  description = "ARN of the stream."
  value       = aws_kinesis_firehose_delivery_stream.raw.arn
}
