"""What the end-to-end and fault tests stand on: PostgreSQL clusters, servers, clients, and an independent model."""
