# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: copies everything into the first stage, so that it runs again for each change of the code
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
WORKDIR /build
COPY . .
RUN pip install --no-index --find-links=wheelhouse --require-hashes --target=/packages -r requirements.txt
"""
