# ---
# answers: ex3
# loses: {ex3-test-hashes: 1}
# why: installs the files themselves, which checks no hash
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
COPY wheelhouse /wheelhouse
RUN pip install --no-index --no-deps --target=/packages /wheelhouse/*.whl
"""
