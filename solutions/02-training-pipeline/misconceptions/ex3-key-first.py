# ---
# answers: ex3
# loses: {ex3-test-failure: 1, ex3-test-stop: 1}
# why: writes the key before the work is done, so a failed step counts as done
# ---
def run_step(folder, name, function, inputs, params, key):
    result, made_with = folder / f"{name}.out", folder / f"{name}.key"
    if result.exists() and made_with.exists() and made_with.read_text() == key:
        return result
    made_with.write_text(key)
    result.write_text(function(inputs, params))
    return result
