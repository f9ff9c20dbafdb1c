"""The baseline of the audio benchmark: a thread a connection, one header, and the kernel's sendfile."""

import os
import re
import socket
import sys
import threading

_RANGE = re.compile(rb"range: bytes=(\d+)-(\d+)", re.IGNORECASE)


def serve(connection: socket.socket, file: int) -> None:
    with connection:
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                data = connection.recv(65536)
                if not data:
                    return
                waiting += data
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            match = _RANGE.search(head)
            assert match is not None
            offset, stop = int(match[1]), int(match[2]) + 1
            answer = f"HTTP/1.1 206 Partial Content\r\nContent-Length: {stop - offset}\r\n\r\n"
            connection.sendall(answer.encode())
            while offset < stop:
                offset += os.sendfile(connection.fileno(), file, offset, stop - offset)


def main(path: str, port: int) -> None:
    file = os.open(path, os.O_RDONLY)
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, file), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
