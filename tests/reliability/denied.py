"""The app with the network denied and nothing to be unpickled; what was tried all the same is written down.

    python -m tests.reliability.denied PORT TRIED

Python's audit hooks see every connection, every look-up of a name and every class that a pickle asks for.
"""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path

from impress_ui.settings import ClassifySettings, RunSettings

LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "", None)


def deny(tried: Path) -> None:
    """From now on; there is no way back in this process."""

    def hook(event: str, arguments: tuple) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
            wanted = None if ipaddress.ip_address(host).is_loopback else f"connect {host}"
        elif event == "socket.getaddrinfo":
            wanted = None if arguments[0] in LOCAL else f"look up {arguments[0]}"
        elif event == "pickle.find_class":
            wanted = f"unpickle {arguments[0]}.{arguments[1]}"
        else:
            return
        if wanted:
            with tried.open("a") as stream:
                stream.write(f"{wanted}\n")
            raise OSError(f"denied: {wanted}")

    sys.addaudithook(hook)


def main(port: int, tried: Path) -> None:
    """Load what the app's endpoints do not load, then serve."""
    from impress_ui.measures.classifiers.clip import load_clip_classifier
    from impress_ui.measures.classifiers.jury import load_diffusion_classifier
    from impress_ui.ui.app import build_app, launch

    deny(tried)
    load_clip_classifier(ClassifySettings())
    load_diffusion_classifier(ClassifySettings(method="diffusion"), RunSettings())
    launch(build_app(), port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
