"""How a gateway is born, told and looked after."""
