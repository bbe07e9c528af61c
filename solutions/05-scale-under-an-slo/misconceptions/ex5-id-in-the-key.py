# ---
# answers: ex5
# loses: {ex5-test: 2, ex5-test-room: 2}
# why: keeps the application id in the key, so that nothing is ever asked twice
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, version in requests:
        question = (version, tuple(sorted(application.items())))
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
