"""What all processes have counted, added up, and who they are."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from orgs.counting.files import ARCHIVE, CountFile, alive, locked


def read(directory: Path) -> tuple[list[Metric], Counter[str]]:
    """The sums, and how many processes of each kind live. Raises OSError where the directory is of no use."""
    with locked(directory):
        present = list(alive(directory))
        _bury_others(directory, {token for token, _ in present})
        files = [str(file) for file in directory.glob("*.db") if file.stat().st_size]
        return list(MultiProcessCollector.merge(files)), Counter(kind for _, kind in present)


def bury(directory: Path) -> None:
    """Add what the dead have counted to the archive, and take their files away."""
    with locked(directory):
        _bury_others(directory, {token for token, _ in alive(directory)})


def _bury_others(directory: Path, living: set[str]) -> None:
    dead = defaultdict(list)
    for file in directory.glob("*.db"):
        prefix, _, token = file.stem.rpartition("_")
        if token not in living and token != ARCHIVE:
            dead[prefix].append(file)
    for prefix, files in dead.items():
        if not prefix.startswith("gauge"):
            _archive(directory, prefix, files)
        for file in files:
            file.unlink()


def _archive(directory: Path, prefix: str, files: Iterable[Path]) -> None:
    archive, aside = directory / f"{prefix}_{ARCHIVE}.db", directory / f"{prefix}_{ARCHIVE}.new"
    sums: dict[str, float] = defaultdict(float)
    for file in [archive, *files]:
        if file.exists() and file.stat().st_size:
            for key, number, _timestamp, _place in MmapedDict.read_all_values_from_file(str(file)):
                sums[key] += number
    aside.unlink(missing_ok=True)
    kept = CountFile(aside)
    for key, number in sums.items():
        kept.write_value(key, number, 0.0)
    kept.close()
    aside.replace(archive)
