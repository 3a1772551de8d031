"""The overview: what each role looks at first."""
