"""A server on loopback that answers with whatever bytes a test hands it."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

Answering = Callable[[bytes], Iterable[bytes]]


@contextmanager
def serving(answering: Answering) -> Iterator[str]:
    """The server's origin. Each connection gets one request's answer, piece by piece until the other side has gone."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    if not (piece := connection.recv(65536)):
                        return
                    request += piece
                for piece in answering(request):
                    connection.sendall(piece)
            except OSError:
                return  # the other side has left: that is what is tested

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk, args=(connection,)))
            threads[-1].start()

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        listening.join()
        for thread in threads:
            thread.join()


def head(*lines: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, "")).encode()
