from io import BytesIO

import pytest
from openpyxl import load_workbook

from orgs.admin_site import table_response
from orgs.admin_site.exporting import safe


class TestACell:
    @pytest.mark.parametrize(
        "text",
        ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "|cmd", "%0A"],
    )
    def test_that_a_spreadsheet_would_run_is_text(self, text):
        assert safe(text).startswith("'")

    @pytest.mark.parametrize("text", ["Ada", "a=b", "7", "Zoë-Marie", ""])
    def test_that_is_plain_stays_as_it_is(self, text):
        assert safe(text) == text

    def test_holds_nothing_that_a_workbook_cannot_hold(self):
        assert safe("A\x00d\x1fa\ufffe") == "Ada"


class TestTable:
    def test_is_written_while_it_is_read(self):
        read = []

        def rows():
            for number in range(3):
                read.append(number)
                yield [number, "x"]

        answer = table_response("List", columns=["A", "B"], rows=rows(), form="csv")
        assert read == []
        lines = iter(answer.streaming_content)
        next(lines)
        next(lines)
        assert read == [0]

    def test_quotes_what_has_commas_and_quotes(self):
        answer = table_response("L", columns=["A"], rows=[['Ann, "the" Ada']], form="csv")
        assert b'"Ann, ""the"" Ada"' in b"".join(answer.streaming_content)

    def test_names_the_file_after_what_it_holds(self):
        answer = table_response("Jazz\r\nX: evil; 5/6", columns=["A"], rows=[], form="csv")
        assert answer["Content-Disposition"] == 'attachment; filename="jazz-x-evil-56.csv"'

    def test_keeps_numbers_as_numbers_in_a_workbook(self):
        answer = table_response("L", columns=["A"], rows=[[7, "-7"]], form="xlsx")
        sheet = load_workbook(BytesIO(b"".join(answer.streaming_content))).active
        assert [cell.value for cell in sheet[2]] == [7, "'-7"]
