# ---
# answers: ex2
# why: one loop for what goes, one for the rest
# ---
def plan(wanted, actual):
    steps = []
    for address in list(actual)[::-1]:
        if address not in wanted:
            steps.append(change(address, actual[address], None))
    for address, after in wanted.items():
        before = actual.get(address)
        if before == after:
            continue
        steps.append(change(address, before, after))
    return steps
