package config

// Inside is all that a directory holds in mind.
func Inside(d *Directory) any { return d.current.Load() }
