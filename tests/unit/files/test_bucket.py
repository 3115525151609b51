"""An object store as a lake uses it: whatever a request meets, the outcome is what was asked for, or one clear line."""

import threading
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import get_args

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.files.bucket import Bucket, Patience
from ion_pipeline.files.errors import ObjectStoreError, TakenOverError
from ion_pipeline.files.store_check import check_store
from tests.faulty_store import Fault, FaultyStore, Kind

pytestmark = pytest.mark.slow

BRIEF = Patience(timedelta(seconds=5), timedelta(seconds=1))
PASSING: list[Kind] = ["error", "slow down", "reset", "half received", "stored, error", "stored, lost", "cut"]
prefixes = count()


@pytest.fixture
def prefix() -> str:
    return f"bucket-{next(prefixes)}"


@pytest.mark.parametrize("kind", PASSING)
def test_a_passing_fault_shows_only_in_the_number_of_requests(
    kind: Kind, store: FaultyStore, prefix: str, tmp_path: Path
) -> None:
    bucket, data = Bucket(store.uri(prefix)), b"row" * 50_000

    def meeting(method: str) -> None:
        assert all(not fault.times for fault in store.faults), store.faults
        store.faults[:] = [Fault(kind, method)]

    meeting("PUT")
    bucket.put("a/plain", data)
    meeting("PUT")
    bucket.reserve("a/document")
    assert bucket.names("a") == ["plain"]
    assert bucket.reservations("a") == ["document"]
    meeting("PUT")
    bucket.put("a/document", data + b"!")
    meeting("PUT")
    with bucket.create("b/file") as stream:
        stream.write(data)
        stream.write(b"?")
    meeting("GET")
    assert bucket.read("a/document") == data + b"!"
    meeting("GET")
    assert bucket.names("a") == ["document", "plain"]
    meeting("GET")
    assert bucket.fetch("b/file", tmp_path).read_bytes() == data + b"?"
    assert store.tree(prefix) == {"a/plain": data, "a/document": data + b"!", "b/file": data + b"?"}
    meeting("POST")
    bucket.remove("a")
    assert store.tree(prefix) == {"b/file": data + b"?"}
    assert store.happened == {kind: 8}


def test_every_kind_of_fault_is_planted_somewhere() -> None:
    elsewhere = {"expired", "forbidden", "unconditional", "late"}
    assert set(get_args(Kind)) == {*PASSING} | elsewhere


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("slow down", times=99), "the store answers 503 SlowDown, also after 1 s"),
        (Fault("reset", times=99), "the store does not answer"),
        (Fault("expired", times=99), r"the credentials have expired \(ExpiredToken\)\. Renew"),
        (Fault("forbidden", "PUT", times=99), r"the credentials may not write there \(AccessDenied\)\. Give them"),
    ],
)
def test_a_lasting_fault_is_one_line(fault: Fault, said: str, store: FaultyStore, prefix: str) -> None:
    bucket = Bucket(store.uri(prefix), BRIEF)
    store.faults[:] = [fault]
    for work in (lambda: bucket.put("a", b"1"), lambda: bucket.reserve("b"), lambda: bucket.create("c").close()):
        with pytest.raises(ObjectStoreError, match=f"^{store.uri(prefix)}: {said}") as failure:
            work()
        assert "\n" not in str(failure.value)
        assert "secret-of-the-test" not in str(failure.value)
    store.faults.clear()
    assert store.tree(prefix) == {}


def test_what_is_set_wrongly_is_named(store: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Bucket("s3://no-such-bucket/lake", BRIEF)
    for work in (lambda: missing.names("a"), lambda: missing.read("a"), lambda: missing.put("a", b"1")):
        with pytest.raises(ObjectStoreError, match=r"^s3://no-such-bucket/lake: the bucket does not exist"):
            work()
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(ObjectStoreError, match="uses http"):
        Bucket(store.uri("lake"), BRIEF).names("a")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    # Where a machine in the cloud would ask for its own.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ObjectStoreError, match="there are no credentials for the store in the environment"):
        Bucket(store.uri("lake"), BRIEF).names("a")
    with pytest.raises(SettingsError, match="abfs://container cannot be used"):
        Bucket("abfs://container")


def test_a_document_belongs_to_the_last_who_reserved_it(store: FaultyStore, prefix: str) -> None:
    first, second = Bucket(store.uri(prefix)), Bucket(store.uri(prefix))
    first.reserve("loads/1.json")
    with pytest.raises(FileNotFoundError):
        first.read("loads/1.json")
    second.reserve("loads/1.json")
    with pytest.raises(TakenOverError, match="written by another process"):
        first.put("loads/1.json", b"of the first")
    assert not first.withdraw("loads/1.json")
    second.put("loads/1.json", b"of the second")
    assert store.tree(prefix) == {"loads/1.json": b"of the second"}
    with pytest.raises(TakenOverError):
        first.reserve("loads/1.json")
    # Once withdrawn, a reservation gives no right any more, not even to who was stopped meanwhile.
    first.reserve("loads/2.json")
    second.reserve("loads/2.json")
    assert second.withdraw("loads/2.json")
    with pytest.raises(TakenOverError):
        first.put("loads/2.json", b"late")
    assert first.names("loads") == ["1.json"]


def test_a_request_that_was_on_its_way_all_the_time_changes_nothing(store: FaultyStore, prefix: str) -> None:
    """The network holds a commit back; meanwhile another writer reserves the document, and goes."""
    first, second = Bucket(store.uri(prefix), BRIEF), Bucket(store.uri(prefix))
    first.reserve("loads/1.json")
    store.release.clear()
    store.faults[:] = [Fault("late", "PUT", "1.json")]
    failures: list[Exception] = []

    def commit() -> None:
        try:
            first.put("loads/1.json", b"late")
        except TakenOverError as error:
            failures.append(error)

    thread = threading.Thread(target=commit)
    thread.start()
    while not store.happened["late"]:
        thread.join(0.01)
    second.reserve("loads/1.json")
    assert second.withdraw("loads/1.json")
    store.release.set()
    thread.join()
    assert len(failures) == 1
    assert store.tree(prefix) == {}


def test_of_many_that_reserve_at_once_one_commits(store: FaultyStore, prefix: str) -> None:
    buckets = [Bucket(store.uri(prefix)) for _ in range(6)]
    start, committed, refused = threading.Barrier(len(buckets)), list[bytes](), list[int]()

    def run(number: int) -> None:
        start.wait()
        try:
            buckets[number].reserve("loads/1.json")
            buckets[number].put("loads/1.json", b"of %d" % number)
            committed.append(b"of %d" % number)
        except TakenOverError:
            refused.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(buckets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(committed) == 1
    assert len(refused) == len(buckets) - 1
    assert store.tree(prefix) == {"loads/1.json": committed[0]}


def test_a_large_file_is_sent_in_parts_and_one_that_is_abandoned_not_at_all(store: FaultyStore, prefix: str) -> None:
    bucket, block = Bucket(store.uri(prefix)), bytes(range(256)) * 4096
    store.faults[:] = [Fault("error", "PUT", "large", skip=1), Fault("reset", "PUT", "large", skip=2)]
    with bucket.create("large") as stream:
        for _ in range(33):
            stream.write(block)
    assert store.happened == {"error": 1, "reset": 1}
    assert store.tree(prefix) == {"large": block * 33}
    half = bucket.create("half")
    half.write(block)
    half.abandon()  # type: ignore[attr-defined]
    assert bucket.names("") == ["large"]


def test_an_object_of_the_size_of_a_reservation_is_none(store: FaultyStore, prefix: str) -> None:
    bucket = Bucket(store.uri(prefix))
    bucket.reserve("a/reserved")
    size = len(store.tree(prefix)["a/reserved"])
    bucket.put("a/other", b"x" * size)
    assert (bucket.names("a"), bucket.reservations("a")) == (["other"], ["reserved"])


def test_a_check_leaves_nothing_and_names_a_store_that_cannot_hold_a_lake(store: FaultyStore, prefix: str) -> None:
    check_store(store.uri(prefix))
    assert store.tree(prefix) == {}
    for skip in (2, 3):
        store.faults[:] = [Fault("unconditional", "PUT", "_check", skip=skip)]
        with pytest.raises(ObjectStoreError, match="the store ignores the conditions of a write"):
            check_store(store.uri(prefix))
        assert not store.faults[0].times
    store.faults[:] = [Fault("forbidden", "PUT")]
    with pytest.raises(ObjectStoreError, match="the credentials may not write there"):
        check_store(store.uri(prefix))
    assert store.tree(prefix) == {}


def test_age_is_that_of_the_store(store: FaultyStore, prefix: str) -> None:
    bucket = Bucket(store.uri(prefix))
    bucket.put("a", b"1")
    assert not bucket.is_older("a", timedelta(seconds=30))
    assert bucket.is_older("a", timedelta(seconds=-30))
