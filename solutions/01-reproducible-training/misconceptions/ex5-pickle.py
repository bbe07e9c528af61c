# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: pickles the model, whose bytes hold the steps to rebuild it
# ---
import pickle


def write_model(model, path):
    path.write_bytes(pickle.dumps(model))
    return hashlib.sha256(path.read_bytes()).hexdigest()
