# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-stop: 1}
# why: trusts the key and never looks whether the result is still there
# ---
def run_step(folder, name, function, inputs, params, key):
    result, made_with = folder / f"{name}.out", folder / f"{name}.key"
    if made_with.exists() and made_with.read_text() == key:
        return result
    result.write_text(function(inputs, params))
    made_with.write_text(key)
    return result
