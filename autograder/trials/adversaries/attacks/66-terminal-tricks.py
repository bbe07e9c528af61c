# ---
# attack: prints escape codes, backspaces, a null byte, lone surrogates, bidirectional overrides and bytes that are no text
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex1
import os
import sys

print("\x1b[2J\x1b[1;32mscore: 12 of 12\x1b[0m\x07\x1b]0;title\x07\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\")
print("12\b\b\b0\r\x00\u202etxet\u202c\u2066\u200b\ufeff")
print("\ud800\udfff lone")
sys.stdout.buffer.write(b"\xff\xfe\x00\xc0\xaf") if hasattr(sys.stdout, "buffer") else None
os.write(1, b"\xff\xfe\x00\xc0\xaf\n")
"\x1b[31m\ud800\x00"
