"""Which examples Hypothesis draws. CI draws the same ones each time, so that a change is judged by the change alone;
`make laws` looks for what nobody thought of (a new seed each time; SEED=n repeats one). A machine that is busy breaks
no law: no example has a deadline, and a whole test has its timeout."""

from hypothesis import HealthCheck, settings

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", calm, derandomize=True)
settings.register_profile("search", calm, print_blob=True)
settings.load_profile("steady")
