# ---
# answers: ex6
# loses: {ex6-test-patience: 1}
# why: short pauses, and half a minute for each check that hangs
# ---
def health():
    return """HEALTHCHECK --interval=10s CMD python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"
"""
