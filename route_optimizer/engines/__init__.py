"""Engines: `(problem, search) -> Found`. The only modules that import a solver."""
