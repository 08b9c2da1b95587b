package shapes

import "testing"

// TestKVSplit: of the tensor-parallel sizes that a layout admits, divisors and multiples of
// kv_heads, each device holds whole heads: kv_heads/tp of them, or one.
func TestKVSplit(t *testing.T) {
	for kv := 1; kv <= 16; kv++ {
		for tp := 1; tp <= 64; tp++ {
			if kv%tp != 0 && tp%kv != 0 {
				continue
			}
			k := Stack{KVHeads: kv, DKV: 96}
			want := 96 * max(1, kv/tp)
			if got := k.KVInner() / k.KVSplit(tp); got != want || k.KVInner()%k.KVSplit(tp) != 0 {
				t.Errorf("%d kv_heads over %d devices: width %d, want %d", kv, tp, got, want)
			}
		}
	}
}
