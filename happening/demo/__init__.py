"""What a fresh checkout shows: two organizations, their programme, and the people who come to it.

The words stand in `acme.toml` and `globex.toml`, the people in `people`, the rooms in `rooms`; `making`
brings them to life through the services, at moments in the past, in the order in which it would have
happened. Every step is keyed and harmless when repeated, and the moment from which all dates are counted is
kept with the first row written: killed anywhere, the next run does the rest of the same demo.
"""
