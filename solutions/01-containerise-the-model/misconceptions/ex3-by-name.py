# ---
# answers: ex3
# loses: {ex3-test-hashes: 1}
# why: installs by name from the wheelhouse; whatever wheel is there will do
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
WORKDIR /build
COPY requirements.in ./
COPY wheelhouse wheelhouse
RUN pip install --no-index --find-links=wheelhouse --target=/packages -r requirements.in
"""
