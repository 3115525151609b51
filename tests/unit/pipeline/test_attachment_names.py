"""The name of a downloaded file, whatever ION calls it."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.pipeline.attachments.names import safe_name

NAMES = st.one_of(
    st.none(),
    st.text(st.characters(), max_size=400),
    st.text(st.sampled_from('ab/\\.: \u202e\x00\n"é🙏'), max_size=300),
)


@given(number=st.integers(1, 2**31), name=NAMES)
def test_a_name_is_one_step_below_its_folder(number: int, name: str | None) -> None:
    safe = safe_name(number, name)
    assert PurePosixPath(safe).parts == PureWindowsPath(safe).parts == (safe,)
    assert safe.startswith(f"{number}-")
    assert len(safe) > len(f"{number}-")
    assert len(safe.encode()) < 200
    assert not safe.endswith((".", " "))
    assert not [one for one in safe if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(one=NAMES, other=NAMES, numbers=st.lists(st.integers(1, 99), min_size=2, max_size=2, unique=True))
def test_two_files_never_share_a_name(one: str | None, other: str | None, numbers: list[int]) -> None:
    assert safe_name(numbers[0], one) != safe_name(numbers[1], other)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report ü.pdf", "7-report ü.pdf"),
        ("../../etc/passwd", "7-_.._etc_passwd"),
        ("..", "7-file"),
        (None, "7-file"),
        ("photo\u202egpj.exe", "7-photo_gpj.exe"),
        ("x" * 300 + ".tar.gz", f"7-{'x' * 177}.gz"),
        ("e\u0301.txt", "7-é.txt"),
    ],
)
def test_what_is_kept_of_a_name(name: str | None, expected: str) -> None:
    assert safe_name(7, name) == expected
