"""The credit model as a KServe model: `python kserve_server.py --model FILE --port N`."""

import sys
from typing import Any

import kserve
import numpy as np
from kserve.utils.utils import get_predict_input

from oakbank.pipelines import CreditModel

FILE, PORT = (sys.argv[sys.argv.index(name) + 1] for name in ("--model", "--port"))


class Credit(kserve.Model):
    """What KServe calls for each request."""

    def load(self) -> bool:
        """Load the model, once for each process."""
        self.model = CreditModel.load(FILE)
        self.ready = True
        return True

    def predict(self, payload: kserve.InferRequest, headers: Any = None, response_headers: Any = None) -> Any:
        """Score a V2 request: one tensor for each column."""
        found = self.model.predict(get_predict_input(payload))
        output = kserve.InferOutput("default_probability", [len(found)], "FP64")
        output.set_data_from_numpy(np.asarray(found), binary_data=False)
        return kserve.InferResponse(payload.id, self.name, [output])


if __name__ == "__main__":
    (credit := Credit("credit")).load()
    del sys.argv[1:]  # KServe reads options of its own
    kserve.ModelServer(http_port=int(PORT), workers=1, enable_grpc=False, access_log_format="").start([credit])
