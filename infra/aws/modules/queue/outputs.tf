output "queue_url" {
  description = "For medallion --queue."
  value       = aws_sqs_queue.events.url
}

output "queue_arn" {
  description = "ARN of the queue, once it takes the bucket's events."
  value       = aws_sqs_queue.events.arn
  depends_on  = [aws_sqs_queue_policy.events]
}

output "dead_letter_queue_url" {
  description = "Where to look for messages that failed."
  value       = aws_sqs_queue.dead_letters.url
}
