# ---
# answers: ex5
# loses: {ex5-test: 2}
# why: rounds the numbers to get more hits, and gives people the answers of others
# ---
def replay(requests, size):
    kept, hits = {}, []
    for application, version in requests:
        rounded = {name: round(value) if isinstance(value, float) else value for name, value in application.items()}
        question = (version, tuple(sorted((name, rounded[name]) for name in rounded if name != "application_id")))
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
