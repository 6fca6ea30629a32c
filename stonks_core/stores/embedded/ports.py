"""Free and taken TCP ports on the loopback interface. Nothing here keeps a port: it may be gone a moment
later.
"""

import errno
import socket

LOOPBACK = "127.0.0.1"


def port_taken(port: int) -> bool:
    """Whether a server could not listen on this loopback port now; ports that need privileges count as
    taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection of the last run that lingers in TIME_WAIT does not take a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return True
            raise
    return False


def free_port(preferred: int | None = None) -> int:
    """The preferred loopback port when it is free, otherwise one that the system names."""
    if preferred is not None and not port_taken(preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
