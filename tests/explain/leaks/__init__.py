"""Programs that use real libraries as they should not; each has a step that leaks and one that is mended."""
