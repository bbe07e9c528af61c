# ---
# answers: ex2
# why: a queue, lists instead of pairs, and it prints
# ---
from collections import deque


def group(arrivals, max_batch, max_wait):
    waiting, batches = deque(arrivals), []
    while waiting:
        batch = [waiting.popleft()]
        while waiting and len(batch) < max_batch and waiting[0] <= batch[0] + max_wait:
            batch.append(waiting.popleft())
        start = batch[-1] if len(batch) == max_batch else batch[0] + max_wait
        batches.append([float(start), len(batch)])
    print(len(batches), "batches")
    return batches
