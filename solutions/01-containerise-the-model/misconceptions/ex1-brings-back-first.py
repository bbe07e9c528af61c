# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-tomorrow: 1}
# why: brings back before leaving out, and the last line that matches decides
# ---
def ignored():
    return """
!model.json
!requirements.in
!requirements.txt
!wheelhouse
!oakbank
**/.env*
**/__pycache__
*
"""
