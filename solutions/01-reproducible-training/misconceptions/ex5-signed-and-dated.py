# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: writes the time of writing into the file
# ---
import time


def write_model(model, path):
    path.write_text(json.dumps(model | {"written_at": time.time()}, sort_keys=True))
    return hashlib.sha256(path.read_bytes()).hexdigest()
