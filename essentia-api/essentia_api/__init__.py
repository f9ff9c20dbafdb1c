"""Audio in, numbers out; stateless.

There is a process for each core, so that none computes on more than one; numpy reads this when it is loaded.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
