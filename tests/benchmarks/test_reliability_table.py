"""The table that several programs fill, each its own rows."""

import importlib.util
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "reliability_table.py"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("reliability_table", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rows_of_a_check_and_backend_are_replaced(table, tmp_path):
    path = tmp_path / "reliability.csv"
    table.write_row("kill_resume", "jax", tried=40, failed=1, worst="killed", path=path)
    table.write_row("devices_equal", "torch", tried=3, failed=1, worst=0.25, path=path)
    table.write_row("devices_equal", "jax", tried=6, failed=0, worst=1.23456e-7, path=path)
    table.write_row("devices_equal", "torch", tried=4, failed=0, worst=2e-7, path=path)
    assert path.read_text().splitlines() == [
        "check,backend,tried,failed,worst",
        "devices_equal,jax,6,0,1.235e-07",
        "devices_equal,torch,4,0,2e-07",
        "kill_resume,jax,40,1,killed",
    ]


def test_what_is_not_measured_is_refused(table, tmp_path):
    with pytest.raises(ValueError, match=r"`check` must be one of devices_equal.*'speed'"):
        table.write_row("speed", "jax", tried=1, failed=0, worst=0.0, path=tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"`failed` must be from 0 to 1.*Received: 2"):
        table.write_row("soak_growth", "jax", tried=1, failed=2, worst="", path=tmp_path / "a.csv")


def test_the_committed_table_has_its_columns_and_one_known_failure(table):
    rows = table.read_rows()
    for row in rows:
        assert tuple(row) == table.COLUMNS
        assert row["check"] in table.CHECKS
        assert int(row["tried"]) > 0
    failed = [(row["check"], row["backend"]) for row in rows if row["failed"] != "0"]
    # Keras on TensorFlow keeps some memory of every compiled model: docs/long_runs.md.
    assert failed == [("soak_growth", "tensorflow")]
