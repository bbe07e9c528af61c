# ---
# answers: ex3
# loses: {ex3-test-stop: 1}
# why: writes the new key before the new result, so a stop makes an old result pass for the new one
# ---
def run_step(folder, name, function, inputs, params, key):
    """Return the path of the step's result, made anew only if it must be."""
    result, made_with = folder / f"{name}.out", folder / f"{name}.key"
    if result.exists() and made_with.exists() and made_with.read_text() == key:
        return result
    text = function(inputs, params)
    made_with.write_text(key)
    result.write_text(text)
    return result
