# ---
# answers: ex5
# loses: {ex5-test-room: 2}
# why: makes room only when there is more than one answer too many
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, version in requests:
        question = (
            version,
            tuple(sorted((name, value) for name, value in application.items() if name != "application_id")),
        )
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size + 1:
            del kept[next(iter(kept))]
    return hits
