"""The durable queue on disk: `writer.Spool` is the one way in and out."""
