package kernel

import "fmt"

var componentNames = [components]string{
	"weights", "gradients", "optimizer_state", "activations", "boundary_activations", "logits",
	"working",
}

// String returns the name used in records, e.g. "optimizer_state".
func (c Component) String() string {
	if c < components {
		return componentNames[c]
	}
	return fmt.Sprintf("invalid(%d)", uint8(c))
}

// Total returns the sum of all components.
func (f *Footprint) Total() int64 {
	var sum int64
	for _, n := range f {
		sum += n
	}
	return sum
}

// ArenaBytes returns what the model holds, in bytes. Not in it: packing buffers of the products,
// about 0.8 MB a thread and engine, the batch, and the program itself.
func (m *Model) ArenaBytes() Footprint { return m.held }
