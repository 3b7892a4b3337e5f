"""A listener on loopback that plays a script to one caller, for servers that real ones are not."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def scripted(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """A listener that plays one script to one caller; yields its MAIL_URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def play() -> None:
            caller, _ = listener.accept()
            with caller:
                script(caller)

        thread = threading.Thread(target=play)
        thread.start()
        yield f"smtp://localhost:{listener.getsockname()[1]}"
        thread.join()
