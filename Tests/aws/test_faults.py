"""Between the store and a real server everything breaks that can: nothing is lost or doubled."""

from __future__ import annotations

import pytest
from faulty_proxy import FAULTS, proxy
from s3_lakes import MakeLake, keys, prefix
from servers import BUCKET, Server

EVENTS = 600


def pass_through(server: Server, new_lake: MakeLake, faults: dict[str, float], seed: int) -> None:
    direct = new_lake(server)
    with proxy(server.endpoint, faults, seed) as between:
        medallion = new_lake(server, direct.place, AWS_ENDPOINT_URL=between.endpoint)
        medallion.run(
            *("simulate", "--events", EVENTS, "--batch-size", 25, "--seed", seed),
            *("--faults", "corrupt=0.05,late=0.1"),
        )
        medallion.run("bronze", "--once")
        medallion.run("ingest", "--once")
        assert medallion.verify(deep=True)["balanced"]
        assert sum(between.injected.values()) >= 10, between.injected
    # As it is without the proxy, for a host that knows nothing of what happened.
    direct.run("ingest", "--once")
    report = direct.verify(deep=True)
    assert report["balanced"] and report["waiting"]["raw_objects"] == 0
    status = direct.status()
    assert (
        status["raw"]["lines"] == EVENTS == status["bronze"]["rows"] + status["quarantine"]["lines"]
    )
    assert status["raw"]["objects"] == len(keys(server, direct, "raw/")) == EVENTS / 25
    assert not keys(server, direct, "tmp/")
    uploads = server.client().list_multipart_uploads(Bucket=BUCKET, Prefix=prefix(direct))
    assert not uploads.get("Uploads")


@pytest.mark.parametrize("fault", FAULTS)
def test_stands_one_kind_of_fault(seaweedfs: Server, new_lake: MakeLake, fault: str) -> None:
    # Keys that do not change can only be shown again.
    often = {"unavailable": 0.5, "slow_down": 0.5, "expired": 0.1}
    pass_through(seaweedfs, new_lake, {fault: often.get(fault, 0.2)}, seed=len(fault))


def test_stands_all_of_them_together(seaweedfs: Server, new_lake: MakeLake) -> None:
    pass_through(seaweedfs, new_lake, dict.fromkeys(FAULTS, 0.03), seed=42)


def test_large_objects_stand_them_as_well(seaweedfs: Server, new_lake: MakeLake) -> None:
    """Objects of many reads, and files in parts."""
    direct = new_lake(seaweedfs)
    faults = {name: 0.04 for name in FAULTS if name not in ("slow", "expired")}
    with proxy(seaweedfs.endpoint, faults, seed=5) as between:
        medallion = new_lake(seaweedfs, direct.place, AWS_ENDPOINT_URL=between.endpoint)
        medallion.run(
            "simulate", "--events", 600_000, "--batch-size", 100_000, "--seed", 5, within=180
        )
        medallion.run("bronze", "--once", within=180)
    direct.run("ingest", "--once")
    assert direct.verify(deep=True)["balanced"]
    assert direct.status()["staging"]["rows"] == 600_000
