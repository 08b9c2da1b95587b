//go:build !linux

package kernel

// allocate returns n zeros; the collector takes them back.
func allocate(n int) (data []float32, release func() error, err error) {
	return make([]float32, n), func() error { return nil }, nil
}
