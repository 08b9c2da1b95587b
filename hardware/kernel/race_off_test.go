//go:build !race

package kernel_test

// raced says that the race detector's shadow memory swells the resident set.
const raced = false
