# ---
# answers: ex5
# loses: {ex5-test-room: 2}
# why: throws out what was stored first, however often it is used
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, version in requests:
        question = (
            version,
            tuple(sorted((name, value) for name, value in application.items() if name != "application_id")),
        )
        hits.append(question in kept)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
