# ---
# answers: ex1
# why: one running hash instead of a hash of hashes, and another algorithm
# ---
def step_key(name, inputs, params):
    digest = hashlib.blake2b(digest_size=20)

    def add(piece):
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)

    add(name.encode())
    for argument in sorted(inputs):
        add(argument.encode())
        add(inputs[argument].read_bytes())
    add(json.dumps(params, sort_keys=True).encode())
    return digest.hexdigest()
