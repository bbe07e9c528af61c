# ---
# answers: ex4
# why: the first stage by its number, a third stage in between, each file by name
# ---
def final_stage():
    return f"""
FROM {BASE} AS app
WORKDIR /src
COPY oakbank oakbank

FROM {BASE}
WORKDIR /app
COPY --from=0 /packages/ /packages/
COPY model.json model.json
COPY --from=app /src/oakbank/intro/protocol.py /src/oakbank/intro/scorecard.py /src/oakbank/intro/service.py /app/oakbank/intro/
"""
