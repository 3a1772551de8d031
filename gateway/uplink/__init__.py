"""From the spool to the cloud: `couriers.Uplink` drains it, `cloud.Cloud` speaks the wire."""
