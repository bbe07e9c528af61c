"""Score a file of applications through the service, and print a pseudonym and a probability for each.

Where the service is, Kubernetes says in the environment of every pod that starts after it: SCORER_SERVICE_HOST, _PORT.
"""

import hashlib
import hmac
import http.client
import json
import os
import sys
import time
from pathlib import Path


def ask(application: dict[str, object], patience: float = 60) -> dict[str, object]:
    """Return the service's answer; wait as long as nobody is ready to give one."""
    host, port = os.environ["SCORER_SERVICE_HOST"], int(os.environ["SCORER_SERVICE_PORT"])
    end = time.monotonic() + patience
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("POST", "/score", json.dumps(application), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
            continue
        finally:
            connection.close()
        if answer.status != 200:
            raise SystemExit(f"the service answers {answer.status}: {body.decode()}")
        return dict(json.loads(body))


key = os.environ["PSEUDONYM_KEY"].encode()
for application in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
    pseudonym = hmac.digest(key, str(application.pop("application_id")).encode(), hashlib.sha256).hex()[:12]
    print(f"{pseudonym}  {ask(application)['default_probability']:.3f}")
