"""The same scores without any platform: rows in, default probabilities out, both as JSON."""

import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
rows = np.array(json.load(sys.stdin), dtype=np.float32)
print(json.dumps(session.run(["probabilities"], {"features": rows})[0][:, 1].tolist()))
