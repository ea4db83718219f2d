"""A table to take away, as CSV or XLSX, written while it is read.

A cell that a spreadsheet would take for a formula is text: whoever books under the name `=HYPERLINK(…)`
must not run anything on an organizer's machine.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.utils.text import slugify
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠\t\r\n|%]")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f￾￿]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table_response(name: str, *, columns: list[str], rows: Iterable[list], form: str) -> HttpResponse:
    """`rows` below `columns` as a file; `form` is "csv" or "xlsx", `name` its name without an ending."""
    filename = f"{slugify(name) or 'list'}.{form}"
    if form == "xlsx":
        return FileResponse(_xlsx(columns, rows), as_attachment=True, filename=filename, content_type=XLSX)
    response = StreamingHttpResponse(_csv(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def safe(value) -> str:
    """The text of a cell, with an apostrophe before what looks like a formula."""
    text = UNWRITABLE.sub("", "" if value is None else str(value))
    return f"'{text}" if FORMULA.match(text) else text


class _Line:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _csv(columns: list[str], rows: Iterable[list]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow([safe(column) for column in columns])  # the mark tells Excel it is UTF-8
    for row in rows:
        yield writer.writerow([value if isinstance(value, int) else safe(value) for value in row])


def _xlsx(columns: list[str], rows: Iterable[list]) -> TemporaryFile:
    """Row by row into a temporary file, so that a long list does not stand in memory."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([safe(column) for column in columns])
    for row in rows:
        sheet.append([value if isinstance(value, int) else _text(sheet, value) for value in row])
    file = TemporaryFile()  # noqa: SIM115  FileResponse closes it
    book.save(file)
    file.seek(0)
    return file


def _text(sheet, value) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, safe(value))
    cell.data_type = "s"
    return cell
