"""Pictures of the console for the README and the eye: `make screenshots`."""
