"""Arrays on their way through torch: device, pixels, batches. All but `batches` load torch."""
