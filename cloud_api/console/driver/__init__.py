"""The driver's app, for phones: it works without signal, and speaks the protocol of docs/delivery.md."""
