"""The directory of archived months: gzipped JSON lines, and `SHA256SUMS` that `sha256sum -c` understands.

A file counts once it stands in SHA256SUMS, which is written last: what a run that was cut off left behind is
not listed, and is written over. Every step is on the disk (fsync, of the directory as well) before the next.
"""

import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

SUMS = "SHA256SUMS"
AT_ONCE = 1 << 20  # bytes


class ArchiveDamaged(Exception):
    """A file is missing or not what it was, or what was written does not read the same."""


class ArchiveDirectory:
    def __init__(self, path: Path):
        self.path = path

    def parts(self, month: str) -> list[Path]:
        """The listed files of a month such as "2026-03", in the order of their making.

        Usually one; lines that were written into the month after it had been archived make another.
        """
        named = re.compile(rf"{re.escape(month)}(\.\d+)?\.jsonl\.gz")
        return [self.path / name for name in sorted(self._sums(), key=_number) if named.fullmatch(name)]

    def write(self, month: str, lines: Iterable[str]) -> Path:
        """Write the month's next file, read it again, and list it.

        Raises:
            ArchiveDamaged: it does not read as it was written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        number = len(self.parts(month)) + 1
        file = self.path / (f"{month}.jsonl.gz" if number == 1 else f"{month}.{number}.jsonl.gz")
        aside = file.with_name(f".{file.name}.part")
        written = hashlib.sha256()
        with aside.open("wb") as raw:
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                for line in lines:
                    packed.write(line.encode() + b"\n")
                    written.update(line.encode() + b"\n")
            raw.flush()
            os.fsync(raw.fileno())
        if _content(aside) != written.digest():
            raise ArchiveDamaged(f"{aside} does not read as it was written.")
        aside.rename(file)
        self._list(file)
        return file

    def read(self, file: Path) -> Iterator[dict]:
        """The lines of a listed file.

        Raises:
            ArchiveDamaged: it is not what it was when it was listed, or never was.
        """
        wanted = self._sums().get(file.name)
        if wanted is None:
            raise ArchiveDamaged(f"{file.name} does not stand in {self.path / SUMS}.")
        if not file.exists() or _sum(file) != wanted:
            raise ArchiveDamaged(f"{file} is not what {self.path / SUMS} says.")
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines)

    def _list(self, file: Path) -> None:
        sums = self._sums() | {file.name: _sum(file)}
        aside = self.path / f".{SUMS}.part"
        with aside.open("w") as listed:
            listed.writelines(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
            listed.flush()
            os.fsync(listed.fileno())
        self._sync()  # the file's name first, then that it counts
        aside.rename(self.path / SUMS)
        self._sync()

    def _sums(self) -> dict[str, str]:
        listed = self.path / SUMS
        if not listed.exists():
            return {}
        return {name: digest for digest, name in (line.split() for line in listed.read_text().splitlines())}

    def _sync(self) -> None:
        directory = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _number(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _content(file: Path) -> bytes:
    content = hashlib.sha256()
    with gzip.open(file, "rb") as opened:
        while chunk := opened.read(AT_ONCE):
            content.update(chunk)
    return content.digest()
