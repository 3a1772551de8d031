"""The demonstration: every process of the product for real, in one terminal, in a world whose clock runs faster."""
