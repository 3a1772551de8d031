"""The console: what people at the screens see of the chain, and do about it.

It asks the platform's own API for everything, in this process and with the person's own rights: nothing exists only
here, and what the API refuses the console cannot do.
"""
