package kernel

// Component is a kind of memory that a model holds.
type Component uint8

const (
	WeightMemory     Component = iota
	GradientMemory             // of the weights
	OptimizerMemory            // moments
	ActivationMemory           // saved in the layers for the backward pass
	BoundaryMemory             // saved outside the layers
	LogitMemory                // logits, which become their own gradient
	// gradients of activations, and with recompute one layer's activations
	WorkingMemory
	components
)

// Footprint is bytes by [Component].
type Footprint [components]int64

// alignment of every buffer in elements: a cache line, and a full register of the widest path.
const alignment = 16

const floatBytes = 4

// mostElements is more than any machine holds; an arena that reaches it stays there instead of
// overflowing.
const mostElements = 1 << 44

// arena deals out one block of memory. Without data it only measures: the same calls then say how
// much to allocate.
type arena struct {
	data []float32
	next int
	held Footprint
}

// take returns n elements, nil when only measuring.
func (a *arena) take(c Component, n int) []float32 {
	from := a.next
	a.next = min(mostElements, from+(n+alignment-1)/alignment*alignment)
	a.held[c] += floatBytes * int64(a.next-from)
	if a.data == nil {
		return nil
	}
	return a.data[from : from+n : from+n]
}

// overlay lets several users that are never active together share memory: it ends where the longest
// ends. All of what they take must be of one component.
func (a *arena) overlay(users ...func()) {
	start, before := a.next, a.held
	end, most := start, before
	for _, use := range users {
		a.next, a.held = start, before
		use()
		end = max(end, a.next)
		for c, n := range a.held {
			most[c] = max(most[c], n)
		}
	}
	a.next, a.held = end, most
}
