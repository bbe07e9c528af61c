# ---
# answers: ex5
# loses: {ex5-test: 2}
# why: leaves the model version out of the key, so that a new model gives the answers of the old one
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, _ in requests:
        question = tuple(sorted((name, value) for name, value in application.items() if name != "application_id"))
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
