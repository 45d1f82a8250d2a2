"""Snowpipe's REST calls for the pipe of a lake in S3."""

from __future__ import annotations

from pathlib import Path

from s3_lakes import MakeLake, keys
from servers import Server


def test_serves_the_pipe_of_a_lake_in_s3(
    seaweedfs: Server, new_lake: MakeLake, tmp_path: Path
) -> None:
    medallion = new_lake(seaweedfs)
    medallion.run("simulate", "--events", 300, "--batch-size", 100)
    medallion.run("bronze", "--once")
    key, users = tmp_path / "rsa_key.p8", tmp_path / "users.yaml"
    who = ("--account", "local", "--user", "loader")
    medallion.run("pipe", "keys", *who, "--out", key, "--users", users, on_lake=False)
    server = medallion.start("serve", "--port", 0, "--users", users)

    def address() -> str:
        words = server.stderr().replace(",", " ").split()
        return next((word for word in words if word.startswith("http://127.0.0.1:")), "")

    endpoint = server.wait_for(address, "the server listens")
    call = (*who, "--private-key", key, "--endpoint", endpoint)
    asked = medallion.run("pipe", "notify", "--from-lake", "--wait", "--json", *call).json()
    files = {key.removeprefix("bronze/") for key in keys(seaweedfs, medallion, "bronze/")}
    assert {file["path"] for file in asked["files"]} == files and not asked["waiting"]
    server.stop()
    assert medallion.status()["staging"]["rows"] == 300
    assert medallion.verify()["balanced"]
