# ---
# answers: ex3
# why: reads first and asks afterwards, and tells what it does
# ---
def remembered(folder, name):
    try:
        (folder / f"{name}.out").read_text()
        return (folder / f"{name}.key").read_text()
    except FileNotFoundError:
        return None


def run_step(folder, name, function, inputs, params, key):
    target = Path(folder, name + ".out")
    if remembered(folder, name) != key:
        print(f"{name} runs")
        result = function(inputs, params)
        Path(folder, name + ".key").write_text("")
        target.write_text(result)
        Path(folder, name + ".key").write_text(key)
    else:
        print(f"{name} is up to date")
    return target
