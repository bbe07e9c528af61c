# /// script
# requires-python = "==3.12.*"
# dependencies = ["pandas<3", "pyarrow", "pysail", "pyspark-client", "setuptools<81"]
# ///
"""A Spark Connect server: Sail. Prints its port, and ends when its standard input does."""

import sys

from pysail.spark import SparkConnectServer

if __name__ == "__main__":
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    print(server.listening_address[1], flush=True)
    sys.stdin.read()
    server.stop()
