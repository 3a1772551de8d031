"""The platform's organisations, for who keeps it: found, look after, close and open again."""
