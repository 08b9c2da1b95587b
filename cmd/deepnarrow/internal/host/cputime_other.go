//go:build !unix

package host

// CPUSeconds returns nil: contention shows in the probes alone.
func CPUSeconds() func() float64 { return nil }
