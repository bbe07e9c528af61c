# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: asks on a port where nobody listens
# ---
def health():
    return """HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1/readyz')"
"""
