# ---
# answers: ex5
# loses: {ex5-test: 2, ex5-test-room: 2}
# why: takes the id for the question, whatever the application says
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, version in requests:
        question = (version, application["application_id"])
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
