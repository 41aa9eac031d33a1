"""``python -m dedupe_service``: serves on a free port of the loopback interface and says on which."""

import logging
import os
import sys

from werkzeug.serving import WSGIRequestHandler, make_server

from dedupe_service.web import create_app

__all__ = ["serve"]


def serve() -> None:
    """Serves until the process is ended."""
    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # connections stay open between requests
    WSGIRequestHandler.disable_nagle_algorithm = True  # heads and bodies are written apart
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_app(os.environ.get("DEDUPE_SERVICE_SNAPSHOTS"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(server.server_port, flush=True)
    sys.stdout = sys.stderr  # nobody reads the pipe after this line
    server.serve_forever()


if __name__ == "__main__":
    serve()
