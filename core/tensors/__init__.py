"""Arrays on their way through torch: device, pixels, batches. Loads torch but for `batches`."""
