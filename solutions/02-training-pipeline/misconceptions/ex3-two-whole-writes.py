# ---
# answers: ex3
# loses: {ex3-test-stop: 1}
# why: swaps each of the two files in whole, and forgets the moment between them
# ---
def run_step(folder, name, function, inputs, params, key):
    """Return the path of the step's result, made anew only if it must be."""
    result, made_with = folder / f"{name}.out", folder / f"{name}.key"
    if result.exists() and made_with.exists() and made_with.read_text() == key:
        return result
    for path, text in ((result, function(inputs, params)), (made_with, key)):
        part = path.with_name(path.name + ".tmp")
        part.write_text(text)
        os.replace(part, path)
    return result
