# SPDX-License-Identifier: Apache-2.0
"""An agent for tlsguardctl alone: a store's control socket that answers what a test says."""
import contextlib
import json
import socket
import threading


@contextlib.contextmanager
def scripted_agent(store, result):
    """result: of every request, or a function that makes it of the request; a text is an error,
    None an end without a reply."""
    store.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(store / "control.sock"))
        listening.listen(8)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    talk, _ = listening.accept()
                    with talk, talk.makefile("r") as lines:
                        request = json.loads(lines.readline())
                        said = result(request) if callable(result) else result
                        if said is None:
                            continue
                        reply = {"ok": False, "error": said} if isinstance(said, str) else \
                            {"ok": True, "result": said}
                        talk.sendall(json.dumps(reply).encode() + b"\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(20)
            (store / "control.sock").unlink()
