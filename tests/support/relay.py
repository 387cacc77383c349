"""A way to the database that can go silent: nothing passes any more, and nobody is told."""

import socket
import threading

from support.wait import free_port


class Relay:
    """Passes TCP on to `target`, (host, port) or the path of a socket, for as long as it is not told to go silent."""

    def __init__(self, target):
        self._target = target
        self.port = free_port()
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self._open.wait()
        try:
            if isinstance(self._target, str):
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
            else:
                server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
        self._pass(client, server)

    def _pass(self, source, sink):
        try:
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def go_silent(self):
        self._open.clear()

    def go_on(self):
        self._open.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self._open.set()
