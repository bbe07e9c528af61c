# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-failure: 1, ex3-test-stop: 1}
# why: takes any result that lies there for the right one
# ---
def run_step(folder, name, function, inputs, params, key):
    result = folder / f"{name}.out"
    if not result.exists():
        result.write_text(function(inputs, params))
        (folder / f"{name}.key").write_text(key)
    return result
