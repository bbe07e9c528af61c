# ---
# answers: ex4
# loses: {ex4-test-order: 1}
# why: copies the code before the packages
# ---
def final_stage():
    return f"""
FROM {BASE}
WORKDIR /app
COPY oakbank oakbank
COPY model.json ./
COPY --from=build /packages /packages
"""
