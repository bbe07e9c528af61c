# ---
# answers: ex5
# why: a generator hands out each text with its pointer
# ---
def walk(value, pointer):
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key in value:
            step = key.replace("~", "~0").replace("/", "~1")
            yield from walk(value[key], pointer + "/" + step)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from walk(value[index], f"{pointer}/{index}")


def places(document, secret):
    if len(secret) == 0:
        raise ValueError("no secret")
    return [pointer for pointer, text in walk(document, "") if text.find(secret) >= 0]
