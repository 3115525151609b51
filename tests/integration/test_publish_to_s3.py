"""A publish sent to an object store: a local S3 server, over its own protocol."""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import orjson
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from moto.server import ThreadedMotoServer
from pyarrow import fs

from ion_pipeline.errors import SettingsError
from ion_pipeline.publish import PublishError, check_store, check_target, publish, send
from ion_pipeline.warehouse import Resources

pytestmark = [pytest.mark.slow]
SMALL = Resources("256MB", 1)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """URI of an empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        uri = f"s3://analysts/ion?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
        filesystem, _ = fs.FileSystem.from_uri(f"{uri}&allow_bucket_creation=true")
        filesystem.create_dir("analysts")
        yield uri
    server.stop()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema reference; create table reference.parts as select i from range(1000) r(i)")
    return path


def files(store: str) -> dict[str, bytes]:
    """Everything in the bucket, by its path below the prefix."""
    filesystem, root = fs.FileSystem.from_uri(store)
    found = {}
    for info in filesystem.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True)):
        if info.is_file:
            with filesystem.open_input_stream(info.path) as stream:
                found[info.path.removeprefix(f"{root}/")] = stream.read()
    return found


def test_a_publish_is_whole_before_latest_names_it_and_old_ones_go(database: Path, tmp_path: Path, store: str) -> None:
    folder = tmp_path / "published"
    ids = []
    for rows in (1000, 2000, 3000):
        with duckdb.connect(str(database)) as connection:
            connection.execute("create or replace table reference.parts as select i from range(?) r(i)", [rows])
        publish(database, folder, resources=SMALL)
        report = send(folder, store, keep=2)
        assert (report.target, report.files) == ("s3://analysts/ion", 5)
        ids.append(report.publish_id)
        there = files(store)
        document = orjson.loads(there["latest.json"])
        assert document["publish_id"] == report.publish_id
        for entry in [document["database"], *document["tables"]]:
            assert hashlib.sha256(there[entry["file"]]).hexdigest() == entry["sha256"]
    assert {path.split("/")[1] for path in there if path.startswith("publishes/")} == set(ids[1:])
    filesystem, root = fs.FileSystem.from_uri(store)
    [table] = document["tables"]
    assert pq.read_table(f"{root}/{table['file']}", filesystem=filesystem).num_rows == 3000
    assert send(folder, store).files == 0, "what is there is not sent again"


def test_delta_tables_have_their_versions_in_the_store(database: Path, tmp_path: Path, store: str) -> None:
    """Written with the credentials and options of the target; read by delta-rs over its own S3 client."""
    folder, there = tmp_path / "published", store.replace("/ion?", "/open?")
    options = {
        "AWS_ENDPOINT_URL": store_url(store, ""),
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
    }

    def rows(version: int) -> int:
        table = DeltaTable("s3://analysts/open/delta/reference/parts", version=version, storage_options=options)
        return int(table.to_pyarrow_table().num_rows)

    def sent(rows: int) -> int:
        with duckdb.connect(str(database)) as connection:
            connection.execute("create or replace table reference.parts as select i from range(?) r(i)", [rows])
        publish(database, folder, formats=("delta",), resources=SMALL)
        send(folder, there, keep=2)
        found = files(there)
        [table] = orjson.loads(found["latest.json"])["tables"]
        delta = table["delta"]
        assert [hashlib.sha256(found[file["file"]]).hexdigest() for file in delta["files"]] == [
            file["sha256"] for file in delta["files"]
        ]
        data = [path for path in found if path.startswith("delta/") and "_delta_log" not in path]
        assert len(data) == min(2, delta["version"] + 1)
        return int(delta["version"])

    assert [sent(10), sent(20)] == [0, 1]
    # The published folder is created anew, the table in the store continues.
    shutil.rmtree(folder)
    assert sent(30) == 2
    assert [rows(1), rows(2)] == [20, 30]
    with pytest.raises(TableNotFoundError):
        rows(0)


def test_what_may_hold_controlled_rows_goes_from_the_store_too(database: Path, tmp_path: Path, store: str) -> None:
    folder, elsewhere = tmp_path / "published", store.replace("/ion?", "/controlled?")

    def sent(said: str) -> str:
        publish(database, folder, export_controlled=said, resources=SMALL)
        return send(folder, elsewhere, keep=5).publish_id

    def there() -> set[str]:
        return {path.split("/")[1] for path in files(elsewhere) if path.startswith("publishes/")}

    assert there() == set()
    whole = [sent("included"), sent("included")]
    assert there() == set(whole)
    # As when the sender is killed half way: nothing says what is in it.
    filesystem, root = fs.FileSystem.from_uri(elsewhere)
    with filesystem.open_output_stream(f"{root}/publishes/{whole[0][:-1]}_/ion.duckdb") as stream:
        stream.write(b"rows")
    without = [sent("left out as of load 1")]
    assert there() == set(without)
    without.append(sent("left out as of load 1"))
    assert there() == set(without)
    # Rows that were published as free have come under control since.
    later = sent("left out as of load 2")
    assert there() == {later}
    assert orjson.loads(files(elsewhere)["latest.json"])["publish_id"] == later


def test_a_store_that_refuses_is_named_without_its_options(database: Path, tmp_path: Path, store: str) -> None:
    folder = tmp_path / "published"
    with pytest.raises(PublishError, match="Nothing is published"):
        send(folder, store)
    publish(database, folder, resources=SMALL)
    with pytest.raises(PublishError, match=r"^s3://no-such-bucket/ion cannot be written") as failure:
        send(folder, store.replace("analysts", "no-such-bucket"))
    assert "secret-of-the-test" not in str(failure.value)


def test_a_store_is_asked_before_there_is_anything_to_send(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_store(store.replace("/ion?", "/a/prefix/that/is/new?"))
    with pytest.raises(PublishError, match=r"^The bucket of s3://no-such-bucket/ion does not exist"):
        check_store(store.replace("analysts", "no-such-bucket"))
    # The server asks for the same as AWS: a key that is known, and may list.
    httpx.post(store_url(store, "/moto-api/reset-auth"), content=b"0").raise_for_status()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    try:
        with pytest.raises(PublishError, match=r"^s3://analysts/ion cannot be read") as failure:
            check_store(store)
    finally:
        httpx.post(store_url(store, "/moto-api/reset-auth"), content=b"1000000").raise_for_status()
    assert "another-secret" not in str(failure.value)


def store_url(store: str, path: str) -> str:
    return f"http://{store.partition('endpoint_override=')[2].partition('&')[0]}{path}"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://key:hunter2@bucket/prefix",
        "postgresql://me:hunter2@host/db",
        "postgresql://me@host/db?password=hunter2",
        "postgresql://me@host/db?sslmode=require&pass%77ord=hunter2",
        "postgresql://me@host/db?sslpassword=hunter2",
        "abfs://bucket/prefix?account_key=hunter2",
        "s3://bucket/prefix?secret_key=hunter2",
    ],
)
def test_passwords_in_a_uri_are_refused_and_not_repeated(uri: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds a password") as failure:
        send(tmp_path, uri)
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize("uri", ["postgresql://me@host/db?passfile=/run/pgpass&sslkey=/run/key", "s3://b?region=x"])
def test_options_that_are_no_passwords_are_taken(uri: str) -> None:
    check_target(uri)
