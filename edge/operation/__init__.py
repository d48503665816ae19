"""Running as a service: watchdog, audit log, certificates."""
