# ---
# answers: ex5
# loses: {ex5-test: 2}
# why: makes the key of the values alone, so that fields may change places
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, version in requests:
        question = (version, tuple(sorted(str(application[name]) for name in application if name != "application_id")))
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
