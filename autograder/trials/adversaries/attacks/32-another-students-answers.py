# ---
# attack: looks for the folder of another student and runs what is in it
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "FileNotFoundError…"
# ---
# %% ex4
import glob
import json
import os

places = [
    "@course@/submitted",
    "/",
    "..",
    "../..",
    "../../..",
    "/tmp",
    "/proc/1/root",
    "/proc/1/cwd",
    "/var",
]
for place in places:
    for path in glob.glob(f"{place}/*/*/*.ipynb") + glob.glob(f"{place}/**/honest*/**/*.ipynb", recursive=False):
        print("found", path)
        for cell in json.load(open(path))["cells"]:
            if "def default_rates" in "".join(cell["source"]):
                exec("".join(cell["source"]))
if "default_rates" not in globals():

    def default_rates(loans):
        return os.listdir("@course@")
