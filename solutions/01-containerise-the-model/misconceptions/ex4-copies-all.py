# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: copies the whole context, requirements and wheels included
# ---
def final_stage():
    return f"""
FROM {BASE}
WORKDIR /app
COPY --from=build /packages /packages
COPY . .
"""
