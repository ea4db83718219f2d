"""Counting over all processes: each counts in files of its own, and whoever is asked adds them up.

A count is a number in memory that is mapped to a file below `settings.METRICS_DIR`, in the format of
prometheus_client. So it costs a microsecond, asks nobody, and outlives a process that was killed. A process
is alive while it holds the lock on its file of presence, in whatever container it runs: what the dead have
counted goes into one archive, and what they only were at that moment (streams open) goes with them.

    begin("web")     this process counts along from now on; until then it counts for itself alone
    together.read()  what all processes have counted, and which processes there are

Where the directory cannot be used the process goes on counting for itself, and says so once.
"""

from prometheus_client import Counter, Gauge, Histogram, values

from orgs.counting.shared import SharedValue, begin

values.ValueClass = SharedValue  # before anything that counts is made, since it is made through here

__all__ = ["Counter", "Gauge", "Histogram", "begin"]
