"""AWS Lambda's Runtime API, as its documentation describes it: the part of the service that a runtime client asks."""

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4


class RuntimeApi:
    """A queue of events behind the two routes that a client needs: `next`, and the answer to an invocation."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                """Answer `/2018-06-01/runtime/invocation/next`, when there is an event."""
                name, body = api.events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", name)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 30_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:0:function:score")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                """Take `/invocation/ID/response` and the errors."""
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.answers.put((self.path.rsplit("/", 1)[1], body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Say nothing of a client that was ended while it waited for an event."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoke(self, event: Any) -> Any:
        """Give the client an event and return its answer.

        Raises:
            RuntimeError: The client answered with an error.
        """
        self.events.put((str(uuid4()), json.dumps(event).encode()))
        kind, answer = self.answers.get(timeout=300)
        if kind != "response":
            raise RuntimeError(f"the function failed: {answer}")
        return answer
