"""Where S3 is reached: over TLS, and with the bucket in the host's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from s3_lakes import MakeLake, keys
from servers import DOMAIN, Server


def test_speaks_tls_with_the_bucket_in_the_hosts_name(
    seaweedfs: Server, new_lake: MakeLake, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[default]\n"
        f"endpoint_url = https://{DOMAIN}:{seaweedfs.secure_port}\n"
        f"ca_bundle = {seaweedfs.authority}\n"
        "s3 =\n"
        "  addressing_style = virtual\n"
    )
    # Nothing in the environment goes before the file.
    none = {"AWS_ENDPOINT_URL": "", "AWS_CA_BUNDLE": ""}
    medallion = new_lake(seaweedfs, AWS_CONFIG_FILE=str(config), **none)
    medallion.run("simulate", "--events", 300, "--batch-size", 100)
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    assert medallion.verify(deep=True)["balanced"]
    # The same lake, as others see it.
    assert len(keys(seaweedfs, medallion, "raw/")) == 3
    assert keys(seaweedfs, medallion, "bronze/")


def test_believes_whom_the_bundle_names(seaweedfs: Server, new_lake: MakeLake) -> None:
    endpoint = f"https://localhost:{seaweedfs.secure_port}"
    medallion = new_lake(
        seaweedfs, AWS_ENDPOINT_URL=endpoint, AWS_CA_BUNDLE=str(seaweedfs.authority)
    )
    medallion.run("simulate", "--events", 10)
    assert len(keys(seaweedfs, medallion, "raw/")) == 1


@pytest.mark.parametrize(
    ("endpoint", "bundle", "expected"),
    [
        ("https://localhost:{secure}", "", "nobody whom this host trusts: name a file"),
        ("https://localhost:{secure}", "/nowhere.pem", "AWS_CA_BUNDLE names /nowhere.pem"),
        ("https://127.0.0.1:{secure}", "{authority}", "has a certificate for another name"),
        ("https://127.0.0.1:{plain}", "", "must begin with http:// in place of https://"),
        ("http://127.0.0.1:{secure}", "", "does not answer as S3 does"),
    ],
)
def test_says_what_is_wrong_with_tls(
    seaweedfs: Server, new_lake: MakeLake, endpoint: str, bundle: str, expected: str
) -> None:
    names = {
        "secure": seaweedfs.secure_port,
        "plain": seaweedfs.endpoint.rpartition(":")[2],
        "authority": seaweedfs.authority,
    }
    medallion = new_lake(
        seaweedfs,
        AWS_ENDPOINT_URL=endpoint.format_map(names),
        AWS_CA_BUNDLE=bundle.format_map(names),
    )
    failed = medallion.run("status", check=1)
    assert expected in failed.stderr and failed.stderr.count("\n") == 1
