# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: copies the folder without its name, so that the service is not where it is imported from
# ---
def final_stage():
    return f"""
FROM {BASE}
WORKDIR /app
COPY --from=build /packages /packages
COPY oakbank model.json ./
"""
