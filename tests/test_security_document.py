"""docs/security.md claims a test for each item: the tests that it names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
ROWS = [line for line in DOCUMENT.splitlines() if re.match(r"\| \d", line)]
TESTS = {path.relative_to(ROOT).as_posix(): path for app in ROOT.glob("*") for path in app.rglob("test_*.py")}


def files_named(row: str) -> list[Path]:
    """By their whole path, or by a name that one file alone has."""
    found = []
    for name in re.findall(r"[\w/]+\.py", row):
        matches = [path for where, path in TESTS.items() if where == name or where.endswith(f"/{name}")]
        if not matches and (ROOT / name).exists():
            continue  # the code itself, where it is the rule
        assert len(matches) == 1, f"{name}: {matches}"
        found += matches
    return found


def names_in(row: str) -> set[str]:
    """Classes and functions; one that ends in … stands for those that begin so."""
    return set(re.findall(r"\b(?:Test[A-Z]\w*|test_\w+…?)(?!\w*\.py)", re.sub(r"[\w/]+\.py", "", row)))


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_names_what_there_is(row):
    files = files_named(row)
    assert files, "An item names the test that shows it."
    written = "\n".join(path.read_text() for path in files)
    for name in names_in(row):
        word = rf"{re.escape(name[:-1])}\w*" if name.endswith("…") else re.escape(name)
        assert re.search(rf"(?:class|def) {word}\b", written), name


def test_lists_no_item_twice_in_a_table():
    for table in re.split(r"\n## ", DOCUMENT):
        items = re.findall(r"^\| (\d[\d.,–  ]*) \|", table, re.MULTILINE)
        assert len(items) == len(set(items))
