from hypothesis import settings

# Time is not what these tests are about: a busy machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
