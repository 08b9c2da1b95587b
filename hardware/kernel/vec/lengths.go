package vec

import "fmt"

// exactly returns x, which must have n elements: assembly does not check bounds.
func exactly[T any](x []T, n int) []T {
	if len(x) != n {
		panic(fmt.Sprintf("vec: slice of %d elements, want %d", len(x), n))
	}
	return x
}

// rowsOf returns how many rows of cols elements x holds.
func rowsOf(x []float32, cols int) int {
	if cols <= 0 || len(x)%cols != 0 {
		panic(fmt.Sprintf("vec: %d elements do not make rows of %d", len(x), cols))
	}
	return len(x) / cols
}
