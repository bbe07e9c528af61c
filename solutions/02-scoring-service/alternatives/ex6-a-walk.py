# ---
# answers: ex6
# why: walks through the pairs with a stack
# ---
def broken_by(before, after):
    kinds = {type(None): 0, bool: 1, int: 2, float: 2, str: 3, list: 4, dict: 5}
    broken = []
    for i in range(len(before)):
        if before[i]["status"] // 100 != 2:
            continue
        fine = after[i]["status"] // 100 == 2
        pairs = [(before[i]["body"], after[i]["body"])]
        while pairs and fine:
            old, new = pairs.pop()
            if kinds[type(old)] != kinds[type(new)]:
                fine = False
            elif type(old) is dict:
                fine = set(old) <= set(new)
                pairs += [(old[key], new[key]) for key in old if key in new]
        if not fine:
            broken.append(i)
    return broken
