"""The room for things that are lent and come back."""
