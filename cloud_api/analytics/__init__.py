"""What the figures say: of the business, of its operations, of the platform's load. It only reads the rooms below."""
