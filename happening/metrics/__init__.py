"""/metrics: what all processes have counted, and what services say of themselves when they are asked.

    requests     the middleware's counts, under django-prometheus' names
    sources      asking a service in a thread of its own, with patience and a memory of some seconds
    telling, lines, jobs, database, redis, brokers       the questions
    answers      all of it together
    access       who may read it

Each question fails alone and is then missing; `happening_collector_up` says which do.
"""
