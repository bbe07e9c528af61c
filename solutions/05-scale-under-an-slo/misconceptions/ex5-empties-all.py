# ---
# answers: ex5
# loses: {ex5-test-room: 2}
# why: empties the whole cache when it is full
# ---
def replay(requests, size):
    kept, hits = set(), []
    for application, version in requests:
        fields = sorted((name, value) for name, value in application.items() if name != "application_id")
        question = (version, tuple(fields))
        hits.append(question in kept)
        if question not in kept and len(kept) >= size:
            kept.clear()
        if size:
            kept.add(question)
    return hits
