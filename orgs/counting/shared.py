"""A number that prometheus_client counts with, written to this process's file once it counts along."""

import logging
import os
import struct
from pathlib import Path
from threading import Lock

from django.conf import settings
from prometheus_client.mmap_dict import mmap_key

from orgs.counting.files import CountFile, Membership
from orgs.counting.together import bury

_PACK = struct.Struct("dd").pack
_numbers: list["SharedValue"] = []
_lock = Lock()
_membership: Membership | None = None
_inherited: list[str] = []  # what the parent was, until this process counts something

logger = logging.getLogger(__name__)


class SharedValue:
    """In the place of prometheus_client's own values. Numbers are few and never go."""

    _multiprocess = True

    def __init__(self, typ, metric_name, name, labelnames, labelvalues, help_text, multiprocess_mode="", **_):
        self._prefix = f"{typ}_{multiprocess_mode}" if typ == "gauge" else typ
        self._key = mmap_key(metric_name, name, labelnames, labelvalues, help_text)
        self._number = 0.0
        self._file: CountFile | None = None
        self._place = 0
        with _lock:
            _numbers.append(self)
            if _membership:
                self._enter()

    def inc(self, amount: float) -> None:
        with _lock:
            self._number += amount
            self._write()

    def set(self, number: float, timestamp: float | None = None) -> None:
        with _lock:
            self._number = number
            self._write()

    def get(self) -> float:
        return self._number

    def set_exemplar(self, exemplar) -> None:
        """Files hold none."""

    def get_exemplar(self) -> None:
        """Files hold none."""

    def _write(self) -> None:
        if self._file is not None:
            self._file.write(self._place, _PACK(self._number, 0.0))
        elif _inherited:
            _count_along(list(_inherited))

    def _enter(self) -> None:
        """Take a place in the process's file, and write down what was counted until now."""
        try:
            file = _membership.file(self._prefix)
            self._place = file.place_of(self._key)
        except OSError as error:
            logger.warning("There is no room to count: %s. A count stays in this process.", error)
            return
        self._file = file
        file.write(self._place, _PACK(self._number, 0.0))


def begin(kind: str) -> None:
    """Count along with all processes from now on; `kind` is what this one is: web, live, worker and so on."""
    with _lock:
        _count_along([kind])


def _count_along(kinds: list[str]) -> None:
    global _membership
    _inherited.clear()
    try:
        is_new = _membership is None
        membership = _membership or Membership(Path(settings.METRICS_DIR))
        for kind in kinds:
            membership.be(kind)
        if is_new:
            bury(membership.directory)  # where nobody ever reads, too, files come to an end
    except OSError as error:  # TimeoutError is one
        logger.warning("This process counts for itself alone: %s", error)
        return
    if is_new:
        _membership = membership
        for number in _numbers:
            number._enter()


def _leave_the_parents_files() -> None:
    """A child begins with nothing counted, in files of its own, when it first counts."""
    global _lock, _membership
    _lock = Lock()  # a thread of the parent may have held it
    if _membership is None:
        return
    _inherited[:] = _membership.kinds
    _membership.close()
    _membership = None
    for number in _numbers:
        number._number, number._file = 0.0, None


os.register_at_fork(after_in_child=_leave_the_parents_files)
