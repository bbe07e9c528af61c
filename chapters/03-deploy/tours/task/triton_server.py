"""The credit model behind Triton Inference Server: `python triton_server.py --model FILE --port N`.

PyTriton starts NVIDIA's server and binds this process's function to it as a model.
"""

import os
import sys
import sysconfig
from typing import Any

import numpy as np
import pandas as pd

# Triton's Python stub looks for libpython there.
os.environ["LD_LIBRARY_PATH"] = str(sysconfig.get_config_var("LIBDIR"))

from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from oakbank.deploy.agreement import applications
from oakbank.pipelines import CreditModel

FILE, PORT = (sys.argv[sys.argv.index(name) + 1] for name in ("--model", "--port"))
DECODE = "--keep-bytes" not in sys.argv
model = CreditModel.load(FILE)


@batch
def score(**columns: Any) -> list[Any]:
    """Score a batch: each column is an array of shape (n, 1), text is bytes."""
    rows = pd.DataFrame({name: column[:, 0] for name, column in columns.items()})
    if DECODE:
        rows = rows.map(lambda value: value.decode() if isinstance(value, bytes) else value)
    return [model.predict(rows)[:, np.newaxis]]


if __name__ == "__main__":
    types = {name: np.bytes_ if kind.kind == "O" else kind.type for name, kind in applications(1).dtypes.items()}
    config = TritonConfig(
        http_address="127.0.0.1", http_port=int(PORT), allow_grpc=False, allow_metrics=False, log_verbose=0
    )
    with Triton(config=config) as triton:
        triton.bind(
            "credit",
            score,
            [Tensor(name=name, dtype=kind, shape=(1,)) for name, kind in types.items()],
            [Tensor(name="default_probability", dtype=np.float64, shape=(1,))],
            config=ModelConfig(max_batch_size=1_000),
        )
        triton.serve()
