# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["duckdb", "lightgbm", "pandas<3", "pyarrow", "pysail", "pyspark-client", "setuptools<81"]
# ///
"""A Spark Connect server on this machine: Sail, on the port that is given. Ends when its standard input does.

Its environment is also that of the scripts that connect to it: a function that Spark runs on rows runs in the server.
"""

import sys

from pysail.spark import SparkConnectServer


def main() -> None:
    """Serve until whoever started this goes."""
    server = SparkConnectServer("127.0.0.1", int(sys.argv[1]))
    server.start(background=True)
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
