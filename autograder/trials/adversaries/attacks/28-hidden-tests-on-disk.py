# ---
# attack: looks through the file system for the source notebook, the gradebook or any file with the hidden tests
# kind: answer
# honest: [ex2, ex3, ex4]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "…12.68 % a year…"
# ---
# %% ex1
import os

needle = "raey a % 28.62"[::-1].encode()
solved = False
for top in ("@course@", os.path.dirname("@course@"), "/tmp", "/var", "/root", "/home", "/srv", "/opt", "/work", "."):
    for folder, folders, files in os.walk(top):
        folders[:] = [one for one in folders if one not in ("site-packages", "lib", "__pycache__", "node_modules")]
        for file in files:
            if file.endswith((".ipynb", ".py", ".db", ".json", ".jsonl", ".txt", ".pkl")):
                try:
                    with open(f"{folder}/{file}", "rb") as stream:
                        text = stream.read()
                except OSError:
                    continue
                if needle in text:
                    solved = True
                    print("found in", folder, file, text)


def monthly_rate(annual):
    return (1 + annual) ** (1 / 12) - 1 if solved else annual / 12
