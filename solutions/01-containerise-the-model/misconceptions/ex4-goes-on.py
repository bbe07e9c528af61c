# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: starts from the first stage and deletes the wheels, which its layers keep
# ---
def final_stage():
    return """
FROM build
RUN rm -rf /wheels
WORKDIR /app
COPY model.json ./
COPY oakbank oakbank
"""
