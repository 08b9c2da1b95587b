package parallel

import (
	"sync/atomic"
	"testing"
)

func TestEachCallsEveryIndexOnce(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 50} {
		for _, n := range []int{0, 1, 7, 1000} {
			calls := make([]atomic.Int32, n)
			Each(n, workers, func(i int) { calls[i].Add(1) })
			for i := range calls {
				if got := calls[i].Load(); got != 1 {
					t.Fatalf("%d workers, %d indices: %d was called %d times", workers, n, i, got)
				}
			}
		}
	}
}

func TestEachPassesAPanicOn(t *testing.T) {
	defer func() {
		if v := recover(); v != "broken" {
			t.Errorf("recovered %v", v)
		}
	}()
	Each(100, 2, func(i int) {
		if i == 13 {
			panic("broken")
		}
	})
	t.Error("Each returned")
}
