# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: does not ask at all
# ---
def health():
    return "HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD exit 0"
