# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: takes over the whole file system of the first stage
# ---
def final_stage():
    return f"""
FROM {BASE}
COPY --from=build / /
WORKDIR /app
COPY model.json ./
COPY oakbank oakbank
"""
