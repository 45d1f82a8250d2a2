"""A queue wakes the stages, and keeps each message until its objects are taken care of."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from s3_lakes import MakeLake, prefix
from servers import BUCKET, Server
from waiting import wait_until

EVENT = b'{"event_id":"e%d","ts":"2026-11-23T10:00:00Z","quantity":1}\n'


@dataclass
class Queue:
    url: str
    dead_url: str
    dead_arn: str
    client: Any

    def send(self, body: str) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=body)

    def count(self, url: str | None = None) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def allow(self, deliveries: int) -> None:
        """How often a message comes until it is put aside."""
        policy = {"deadLetterTargetArn": self.dead_arn, "maxReceiveCount": str(deliveries)}
        self.client.set_queue_attributes(
            QueueUrl=self.url, Attributes={"RedrivePolicy": json.dumps(policy)}
        )


@pytest.fixture
def queue(ministack: Server) -> Queue:
    """A queue with a dead-letter queue, to which the bucket tells what is put into it."""
    client = ministack.client("sqs")
    # One of its own: a poll that a stopped command left open may still take a message.
    name = f"raw-{uuid.uuid4()}"
    dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:"
    url = client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "2"})["QueueUrl"]
    ministack.client().put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": f"{arn}{name}", "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    queue = Queue(url, dead, f"{arn}{name}-dead", client)
    # On a busy machine a message comes into sight again before it is taken care of.
    queue.allow(deliveries=1000)
    return queue


def test_messages_wake_bronze_and_go_after_the_commit(
    ministack: Server, queue: Queue, new_lake: MakeLake
) -> None:
    medallion = new_lake(ministack)
    medallion.run("simulate", "--events", 10)
    follower = medallion.start("bronze", "--follow", "--queue", queue.url)
    follower.wait_for(lambda: medallion.status()["bronze"]["rows"] == 10, "what was there")
    # Where no sweep of recent hours looks, and the next listing of everything is ten minutes off.
    client = ministack.client()
    for number in range(12):
        key = f"{prefix(medallion)}raw/é by hand/a+b {number}.json"
        client.put_object(Bucket=BUCKET, Key=key, Body=EVENT % number)
    follower.wait_for(lambda: medallion.status()["bronze"]["rows"] == 22, "what messages told of")
    # Every message is removed: the bucket's test message, those of other prefixes, the twelve.
    follower.wait_for(lambda: queue.count() == 0, "an empty queue")
    assert queue.count(queue.dead_url) == 0
    follower.stop()


def test_strange_messages_do_no_harm(ministack: Server, queue: Queue, new_lake: MakeLake) -> None:
    medallion = new_lake(ministack)
    client = ministack.client()
    key = f"{prefix(medallion)}raw/x/1.json"
    client.put_object(Bucket=BUCKET, Key=key, Body=EVENT % 1)

    def message(name: str, bucket: str = BUCKET) -> str:
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": bucket}, "object": {"key": name}},
        }
        return json.dumps({"Records": [record]})

    for _ in range(3):
        queue.send(message(key))  # Told three times more.
    queue.send(message(f"{prefix(medallion)}raw/x/never.json"))
    queue.send(message("raw/y.json", bucket="another"))
    queue.send(json.dumps({"Type": "Notification", "Message": message(key)}))
    queue.send("no message of S3 at all")
    follower = medallion.start("bronze", "--follow", "--queue", queue.url)
    follower.wait_for(lambda: queue.count() == 1, "what is none of ours is left", within=90)
    follower.stop()
    assert medallion.status()["bronze"]["rows"] == 1

    # After enough deliveries the queue itself puts it aside.
    queue.allow(deliveries=2)

    def receive() -> bool:
        queue.client.receive_message(QueueUrl=queue.url, VisibilityTimeout=0)
        return queue.count(queue.dead_url) == 1

    wait_until(receive, "the dead-letter queue has it", within=150)


def test_a_listing_finds_what_no_message_announced(
    ministack: Server, queue: Queue, new_lake: MakeLake
) -> None:
    medallion = new_lake(ministack)
    ministack.client().put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={}
    )
    medallion.run("simulate", "--events", 10)
    follower = medallion.start("bronze", "--follow", "--queue", queue.url)
    follower.wait_for(lambda: medallion.status()["bronze"]["rows"] == 10, "the first")
    medallion.run("simulate", "--events", 10)
    follower.wait_for(lambda: medallion.status()["bronze"]["rows"] == 20, "the second")
    follower.stop()


def test_the_pipe_is_woken_too(ministack: Server, queue: Queue, new_lake: MakeLake) -> None:
    medallion = new_lake(ministack)
    medallion.run("simulate", "--events", 10)
    medallion.run("bronze", "--once")
    pipe = medallion.start("ingest", "--follow", "--queue", queue.url)
    pipe.wait_for(lambda: medallion.status()["staging"]["rows"] == 10, "the rows")
    pipe.wait_for(lambda: queue.count() == 0, "an empty queue")
    pipe.stop()


def test_a_queue_that_is_not_there_is_named(
    ministack: Server, new_lake: MakeLake, queue: Queue
) -> None:
    medallion = new_lake(ministack)
    medallion.run("simulate", "--events", 10)
    failed = medallion.run("bronze", "--follow", "--queue", queue.url + "-none", check=1)
    assert "-none does not exist" in failed.stderr
    failed = medallion.run("bronze", "--follow", "--queue", "raw", check=1)
    assert "raw is not a queue" in failed.stderr
