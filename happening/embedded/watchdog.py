"""Where the kernel cannot tie a child to its parent: waits until the parent's end of a pipe closes.

    python watchdog.py PID SIGNAL

The parent writes nothing: end of file means that it is gone, and then PID gets SIGNAL. When the child
ends first, the parent ends this process before it forgets the child, so that the number is not reused.
"""

import os
import signal
import sys


def main(pid: int, number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
