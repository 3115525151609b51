"""A table of an answer on a terminal of any width: nothing is cut, nothing is wider than the terminal."""

import io
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ion_pipeline.terminal.fitting import FittingTable
from ion_pipeline.terminal.text import PlainConsole, plain
from tests.examples import examples

HEADERS = ["part", "serial_number", "quantity", "shortest way down"]
TEXT = st.text("ab >-_é日", max_size=60)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.integers(0, 10**12).map(str), TEXT), min_size=1, max_size=4)


def shown(rows: list[tuple[str, str, str, str]], width: int, below: list[str]) -> str:
    stream = io.StringIO()
    grid = FittingTable(HEADERS, right=["quantity"], below=below)
    for row in rows:
        grid.add_row(*map(plain, row))
    PlainConsole(file=stream, width=width, soft_wrap=True).print(grid)
    assert max(map(cell_len, stream.getvalue().splitlines())) <= width
    return stream.getvalue()


def letters(*texts: str) -> Counter[str]:
    return Counter("".join("".join(texts).split()))


@settings(max_examples=examples(100))
@given(rows=ROWS, width=st.integers(30, 300), below=st.sampled_from([[], ["shortest way down"]]))
def test_no_character_is_lost(rows: list[tuple[str, str, str, str]], width: int, below: list[str]) -> None:
    found = letters(shown(rows, width, below))
    assert letters(*(cell for row in rows for cell in row), *HEADERS) <= found


def test_a_wide_terminal_has_one_line_for_each_row() -> None:
    rows = [("PUMP A", "S/N 1", "2", "PUMP 1 > ROTOR 2 > SHAFT 3"), ("PUMP B", "S/N 22", "10", "PUMP 22 > SHAFT 3")]
    assert [line.split("   ")[-1].strip() for line in shown(rows, 72, []).rstrip().splitlines()[-2:]] == [
        "PUMP 1 > ROTOR 2 > SHAFT 3",
        "PUMP 22 > SHAFT 3",
    ]


def test_long_texts_stand_below_their_row_where_they_do_not_fit() -> None:
    path = "PUMP 1 > ROTOR 2 > SHAFT 3 > RING 4 > MAGNET 5"
    lines = [line.rstrip() for line in shown([("PUMP A", "S/N 1", "2", path)], 60, HEADERS[3:]).splitlines()]
    assert lines[1].split() == ["part", "serial_number", "quantity"]
    assert lines[2] == "    shortest way down"
    assert lines[4].split() == ["PUMP", "A", "S/N", "1", "2"]
    assert lines[5] == f"    {path}"


def test_where_nothing_else_fits_each_row_is_a_list() -> None:
    lines = shown([("PUMP-WITH-A-LONG-NUMBER", "SERIAL-NUMBER-0001", "2", "x")], 46, HEADERS[3:]).splitlines()
    names = [line.split(maxsplit=1)[0] for line in lines if line.strip()]
    assert names == ["part", "serial_number", "quantity", "shortest"]
