//go:build !unix

package cli

// cpuSeconds returns nil: contention shows in the probes alone.
func cpuSeconds() func() float64 { return nil }
