# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: asks with a program that is not in the image
# ---
def health():
    return "HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD curl --fail http://127.0.0.1:8000/readyz || exit 1"
