import os

from hypothesis import settings

# Read when numpy is loaded: threads of small products wait for each other and keep the cores busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# How long an example takes says how busy the machine is, and nothing about thyrisk.
settings.register_profile(
    "unhurried", deadline=None, max_examples=int(os.environ.get("THYRISK_EXAMPLES", "30"))
)
settings.load_profile("unhurried")
